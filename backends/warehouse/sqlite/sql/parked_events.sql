-- The events of an athlete whose newest row says parked, oldest first; what could not be read has no event.
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
    reason_kind,
    message,
    retry_at,
    attempt,
    finished_at
from strava_events as parked
where
    athlete_id = :athlete_id
    and outcome = 'parked'
    and event_id is not null
    and received_at is not null
    and not exists (
        select 1
        from strava_events as later
        where later.event_id = parked.event_id and later.ingested_at > parked.ingested_at
    )
order by ingested_at;
