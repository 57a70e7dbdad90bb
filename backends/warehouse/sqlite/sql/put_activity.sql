insert into strava_activities (
    activity_id, athlete_id, resource_state, start_date, event_time, observed_at, seen_alive_at, is_deleted,
    source, payload_hash, event_id, ingested_at, payload
)
values (
    :activity_id, :athlete_id, :resource_state, :start_date, :event_time, :observed_at, :seen_alive_at, :is_deleted,
    :source, :payload_hash, :event_id, :ingested_at, :payload
)
on conflict (activity_id) do update set
    athlete_id = excluded.athlete_id,
    resource_state = excluded.resource_state,
    start_date = excluded.start_date,
    event_time = excluded.event_time,
    observed_at = excluded.observed_at,
    seen_alive_at = excluded.seen_alive_at,
    is_deleted = excluded.is_deleted,
    source = excluded.source,
    payload_hash = excluded.payload_hash,
    event_id = excluded.event_id,
    ingested_at = excluded.ingested_at,
    payload = excluded.payload;
