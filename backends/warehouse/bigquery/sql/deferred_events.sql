-- The newest rows of events that are off the queue until retry_at: live ones first, then those that were parked, and last those that
-- a person asked for. A row from the future, written before a clock was set back, is due too.
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
{off_queue}
    and (@due_by is null or retry_at <= @due_by or finished_at > @future)
    and (not @of_athletes or object_type = 'athlete')
order by if(attempt = 0, 2, if(strpos(delivery_id, '/taken-up/') > 0, 1, 0)), retry_at, ingested_at
limit @how_many
