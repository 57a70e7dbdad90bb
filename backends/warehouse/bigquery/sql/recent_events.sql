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
    where @event_id is null or event_id = @event_id
)
where
    (@athlete_id is null or athlete_id = @athlete_id)
    and (@activity_id is null or (object_type = 'activity' and object_id = @activity_id))
    and (@outcome is null or outcome = @outcome)
    and (@since is null or finished_at >= @since)
    and (@until is null or finished_at < @until)
    and (not @is_dead or (outcome = 'parked' and ends_with(delivery_id, '/dead')))
    and (not @is_newest or event_id is null or is_newest)
order by ingested_at desc
limit @how_many
