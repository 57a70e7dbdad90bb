-- What activities are compared by, those of the API and of exports; of the API in the partitions of these ids alone.
select
    'api' as source,
    athlete_id,
    activity_id,
    start_date as start_at,
    concat(
        '[',
        coalesce(to_json_string(json_query(payload, '$.elapsed_time')), 'null'),
        ',',
        coalesce(to_json_string(json_query(payload, '$.distance')), 'null'),
        ',',
        coalesce(to_json_string(json_query(payload, '$.sport_type')), 'null'),
        ',',
        coalesce(to_json_string(json_query(payload, '$.start_latlng')), 'null'),
        ',',
        coalesce(to_json_string(json_query(payload, '$.upload_id')), 'null'),
        ',',
        coalesce(to_json_string(json_query(payload, '$.external_id')), 'null'),
        ']'
    ) as facts
from strava_activities
where
    {ids}
    and athlete_id = @athlete_id
    and not is_deleted
    and (@since is null or start_date between @since and @until)

union all

select
    'archive' as source,
    athlete_id,
    activity_id,
    start_at,
    concat(
        '[',
        coalesce(to_json_string(json_query(activity, '$.elapsed_time')), 'null'),
        ',',
        coalesce(to_json_string(json_query(activity, '$.distance')), 'null'),
        ',',
        coalesce(to_json_string(json_query(activity, '$.sport_type')), 'null'),
        ',',
        coalesce(to_json_string(json_query(activity, '$.start_latlng')), 'null'),
        ',',
        coalesce(to_json_string(json_query(activity, '$.upload_id')), 'null'),
        ',',
        coalesce(to_json_string(json_query(activity, '$.external_id')), 'null'),
        ']'
    ) as facts
from archive_activities
where
    athlete_id = @athlete_id
    and not is_deleted
    and (@since is null or start_at is null or start_at between @since and @until)
