-- One row per event that came to an end: when it was in raw, and when a published mart first held it.
select
    events.object_id,
    events.aspect_type,
    events.event_time,
    events.outcome,
    events.reason,
    min(events.finished_at) as stored_at,
    (
        select min(runs.published_at)
        from transform_runs as runs
        where
            runs.published_at is not null
            and runs.error is null
            and runs.started_at >= events.ingested_at
    ) as charted_at
from strava_events as events
where events.outcome not in ('deferred')
group by events.object_id, events.aspect_type, events.event_time
