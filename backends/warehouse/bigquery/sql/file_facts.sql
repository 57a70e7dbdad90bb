-- What recordings are compared by and how they are linked: these, or an athlete's that began in the period.
select
    'file' as source,
    athlete_id,
    activity_id,
    start_at,
    elapsed_time_s,
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
        ',',
        coalesce(to_json_string(json_query(activity, '$.timezone')), 'null'),
        ',',
        coalesce(to_json_string(json_query(activity, '$.utc_offset')), 'null'),
        ',',
        coalesce(to_json_string(json_query(activity, '$.sources.utc_offset')), 'null'),
        ']'
    ) as facts,
    file_id,
    own_activity_id,
    name,
    device_key,
    matched_by,
    twin,
    suspect,
    suspect_twin
from activity_files
where
    not is_deleted
    and if(
        @athlete_id is null,
        file_id in unnest(@file_ids),
        athlete_id = @athlete_id and (@since is null or start_at between @since and @until)
    )
order by file_id
