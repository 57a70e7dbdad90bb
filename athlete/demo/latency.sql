-- Every end of the asked events (:event_ids, a JSON array), and when a published mart first held it.
select
    events.event_id,
    events.received_at,
    events.outcome,
    events.reason,
    events.finished_at,
    (
        select min(runs.published_at)
        from transform_runs as runs
        where
            runs.published_at is not null
            and runs.error is null
            and runs.started_at >= events.ingested_at
    ) as charted_at
from strava_events as events
where
    events.event_id in (select asked.value from json_each(:event_ids) as asked)
    and events.outcome <> 'deferred'
    and events.received_at is not null
order by events.finished_at, events.delivery_id
