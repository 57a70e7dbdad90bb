-- Recordings of an activity that is gone, and of those without one of Strava's the ones near which one has come or changed since,
-- or a second before: it may have come while they were compared, and their stamps are later.
with files as (
    select
        file_id,
        athlete_id,
        activity_id,
        own_activity_id,
        start_at,
        ingested_at
    from activity_files
    where is_deleted = 0
),

gone as (
    select file_id
    from files
    where
        activity_id < :first_own_id
        and not exists (
            select 1
            from strava_activities as activities
            where activities.activity_id = files.activity_id and activities.is_deleted = 0
        )
        and not exists (
            select 1
            from archive_activities as archived
            where archived.activity_id = files.activity_id and archived.is_deleted = 0
        )

    union all

    select files.file_id
    from files
    left join files as leaders on files.activity_id = leaders.own_activity_id
    where files.activity_id >= :first_own_id and files.activity_id <> files.own_activity_id and leaders.file_id is null
),

approached as (
    select file_id
    from files
    where
        activity_id >= :first_own_id
        and (
            exists (
                select 1
                from strava_activities as activities
                where
                    activities.athlete_id = files.athlete_id
                    and activities.is_deleted = 0
                    and activities.start_date
                    between strftime('%Y-%m-%dT%H:%M:%fZ', files.start_at, '-2 days')
                    and strftime('%Y-%m-%dT%H:%M:%fZ', files.start_at, '+2 days')
                    and activities.ingested_at > strftime('%Y-%m-%dT%H:%M:%fZ', files.ingested_at, '-1 seconds')
            )
            or exists (
                select 1
                from archive_activities as archived
                where
                    archived.athlete_id = files.athlete_id
                    and archived.is_deleted = 0
                    and archived.start_at
                    between strftime('%Y-%m-%dT%H:%M:%fZ', files.start_at, '-2 days')
                    and strftime('%Y-%m-%dT%H:%M:%fZ', files.start_at, '+2 days')
                    and archived.ingested_at > strftime('%Y-%m-%dT%H:%M:%fZ', files.ingested_at, '-1 seconds')
            )
        )
)

select
    'file' as source,
    athlete_id,
    activity_id,
    start_at,
    elapsed_time_s,
    json_extract(
        activity,
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
from activity_files
where file_id in (select file_id from gone union all select file_id from approached)
order by file_id;
