-- Recordings of an activity that is gone, and of those without one of Strava's the ones near which one has come or changed since,
-- or minutes before: it may have come while they were compared, and their stamps are later.
with files as (
    select
        file_id,
        athlete_id,
        activity_id,
        own_activity_id,
        start_at,
        ingested_at
    from activity_files
    where not is_deleted
),

living as (
    select
        activity_id,
        athlete_id,
        start_date as start_at,
        ingested_at
    from strava_activities
    where not is_deleted

    union all

    select
        activity_id,
        athlete_id,
        start_at,
        ingested_at
    from archive_activities
    where not is_deleted
),

known as (
    select activity_id from living

    union all

    select own_activity_id as activity_id from files
),

gone as (
    select files.file_id
    from files
    left join known on files.activity_id = known.activity_id
    where known.activity_id is null
),

approached as (
    select files.file_id
    from files
    inner join living on files.athlete_id = living.athlete_id
    where
        files.activity_id >= @first_own_id
        and living.start_at between timestamp_sub(files.start_at, interval 48 hour) and timestamp_add(files.start_at, interval 48 hour)
        and living.ingested_at > timestamp_sub(files.ingested_at, interval 10 minute)
)

select distinct file_id
from (
    select file_id from gone

    union all

    select file_id from approached
)
