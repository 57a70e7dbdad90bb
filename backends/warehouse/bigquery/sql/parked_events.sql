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
    to_json_string(updates) as updates,
    received_at,
    outcome,
    reason,
    reason_kind,
    message,
    retry_at,
    attempt,
    finished_at
from (
    select
        *,
        ingested_at = max(ingested_at) over (partition by event_id) as is_newest
    from strava_events
    where event_id in (select event_id from strava_events where athlete_id = @athlete_id and outcome = 'parked')
)
where is_newest and athlete_id = @athlete_id and outcome = 'parked' and received_at is not null
order by ingested_at
