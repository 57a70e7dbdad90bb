-- What activities are compared by, those of the API and of exports; of the API in the partitions of these ids alone.
with known as (
    select
        'api' as source,
        athlete_id,
        activity_id,
        start_date as start_at,
        payload as told
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
        activity as told
    from archive_activities
    where
        athlete_id = @athlete_id
        and not is_deleted
        and (@since is null or start_at is null or start_at between @since and @until)
)

select
    source,
    athlete_id,
    activity_id,
    start_at,
    concat(
        '[',
        coalesce(to_json_string(json_query(told, '$.elapsed_time')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.distance')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.sport_type')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.start_latlng')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.upload_id')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.external_id')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.timezone')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.utc_offset')), 'null'),
        ',',
        coalesce(to_json_string(json_query(told, '$.sources.utc_offset')), 'null'),
        ']'
    ) as facts
from known
