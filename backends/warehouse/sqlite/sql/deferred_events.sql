-- Events whose newest row says that they are off the queue until retry_at. A row from the future, written before the clock was
-- set back, is due too: its retry_at may be years away.
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
from strava_events as deferred
where
    retry_at is not null
    and outcome = 'deferred'
    and event_id is not null
    and received_at is not null
    and (:due_by is null or retry_at <= :due_by or finished_at > :future)
    and not exists (
        select 1
        from strava_events as later
        where later.event_id = deferred.event_id and later.ingested_at > deferred.ingested_at
    )
order by retry_at, ingested_at
limit :how_many;
