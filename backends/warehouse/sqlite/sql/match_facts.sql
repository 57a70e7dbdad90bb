-- What activities and recordings are compared by, as far as they began in the period or have no known start.
with known as (
    select
        'api' as source,
        athlete_id,
        activity_id,
        start_date as start_at,
        null as elapsed_time_s,
        payload as told,
        null as file_id,
        null as own_activity_id,
        null as name,
        null as device_key,
        null as matched_by,
        null as twin,
        null as suspect,
        null as suspect_twin
    from strava_activities
    where
        athlete_id = :athlete_id
        and is_deleted = 0
        and (:since is null or start_date between :since and :until)

    union all

    select
        'archive' as source,
        athlete_id,
        activity_id,
        start_at,
        null as elapsed_time_s,
        activity as told,
        null as file_id,
        null as own_activity_id,
        null as name,
        null as device_key,
        null as matched_by,
        null as twin,
        null as suspect,
        null as suspect_twin
    from archive_activities
    where
        athlete_id = :athlete_id
        and is_deleted = 0
        and (:since is null or start_at is null or start_at between :since and :until)

    union all

    select
        'file' as source,
        athlete_id,
        activity_id,
        start_at,
        elapsed_time_s,
        activity as told,
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
        athlete_id = :athlete_id
        and is_deleted = 0
        and (:since is null or start_at between :since and :until)
)

select
    source,
    athlete_id,
    activity_id,
    start_at,
    elapsed_time_s,
    json_extract(
        told,
        '$.elapsed_time',
        '$.distance',
        '$.sport_type',
        '$.start_latlng',
        '$.upload_id',
        '$.external_id',
        '$.timezone',
        '$.utc_offset',
        '$.sources.utc_offset'
    ) as facts,
    file_id,
    own_activity_id,
    name,
    device_key,
    matched_by,
    twin,
    suspect,
    suspect_twin
from known;
