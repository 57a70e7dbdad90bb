select
    delivery_id,
    event_id,
    object_type,
    aspect_type,
    object_id,
    athlete_id,
    subscription_id,
    event_time,
    updates,
    received_at,
    outcome,
    reason,
    retry_at,
    attempt,
    finished_at
from strava_events
where
    (:athlete_id is null or athlete_id = :athlete_id)
    and (:activity_id is null or (object_type = 'activity' and object_id = :activity_id))
    and (:outcome is null or outcome = :outcome)
    and (:since is null or finished_at >= :since)
order by ingested_at desc
limit :limit;
