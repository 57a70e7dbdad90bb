-- Rows of events that were settled before a moment, oldest first, so that of an event its last row goes last. What is parked or
-- deferred still needs somebody. :lasting is a JSON array of events that stay.
delete from strava_events
where delivery_id in (
    select events.delivery_id
    from strava_events as events
    where
        events.ingested_at < :before
        and events.event_id not in (select value from json_each(:lasting))
        and (
            select newest.outcome not in ('parked', 'deferred') and max(newest.ingested_at, newest.finished_at) < :before
            from strava_events as newest
            where newest.event_id = events.event_id
            order by newest.ingested_at desc
            limit 1
        )
    order by events.ingested_at
    limit :how_many
);
