-- A delivery that is there already keeps its row. No athlete of the batch may have been purged or connected since it was made, each
-- activity that the batch added must be there once, and each whose changes it told must live.
merge into strava_events as kept
using (
    select
        entry.delivery_id,
        entry.event_id,
        entry.athlete_id,
        entry.object_type,
        entry.object_id,
        entry.aspect_type,
        entry.updates,
        entry.subscription_id,
        entry.event_time,
        entry.received_at,
        entry.outcome,
        entry.reason,
        entry.reason_kind,
        entry.message,
        entry.retry_at,
        entry.attempt,
        entry.finished_at,
        entry.place
    from unnest(@entries) as entry
    where if({guard} and {proof}, true, error(concat('{stale}: delivery ', entry.delivery_id)))
) as entry
    on kept.delivery_id = entry.delivery_id
when not matched
    then insert (
        delivery_id,
        event_id,
        athlete_id,
        object_type,
        object_id,
        aspect_type,
        updates,
        subscription_id,
        event_time,
        received_at,
        outcome,
        reason,
        reason_kind,
        message,
        retry_at,
        attempt,
        finished_at,
        ingested_at
    )
    values (
        entry.delivery_id,
        entry.event_id,
        entry.athlete_id,
        entry.object_type,
        entry.object_id,
        entry.aspect_type,
        parse_json(entry.updates, wide_number_mode => 'round'),
        entry.subscription_id,
        entry.event_time,
        entry.received_at,
        entry.outcome,
        entry.reason,
        entry.reason_kind,
        entry.message,
        entry.retry_at,
        entry.attempt,
        entry.finished_at,
        timestamp_add(current_timestamp(), interval entry.place microsecond)
    )
