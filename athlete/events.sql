-- The ledger, newest first; a filter that is null lets everything through.
select
    finished_at,
    athlete_id,
    object_type,
    object_id,
    aspect_type,
    outcome,
    reason,
    attempt,
    event_time,
    received_at,
    event_id
from strava_events
where
    (:athlete is null or athlete_id = :athlete)
    and (:activity is null or (object_type = 'activity' and object_id = :activity))
    and (:outcome is null or outcome = :outcome)
    and (:since is null or finished_at >= :since)
order by ingested_at desc
limit :limit
