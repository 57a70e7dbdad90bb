insert into strava_events (
    delivery_id, event_id, athlete_id, object_type, object_id, aspect_type, updates, subscription_id,
    event_time, received_at, outcome, reason, attempt, finished_at, ingested_at
)
values (
    :delivery_id, :event_id, :athlete_id, :object_type, :object_id, :aspect_type, :updates, :subscription_id,
    :event_time, :received_at, :outcome, :reason, :attempt, :finished_at, :ingested_at
)
on conflict (delivery_id) do nothing;
