from (
    select
        *,
        ingested_at = max(ingested_at) over (partition by event_id) as is_newest
    from strava_events
    where event_id in (select event_id from strava_events where outcome = 'deferred' and retry_at is not null)
)
where
    is_newest
    and outcome = 'deferred'
    and retry_at is not null
    and received_at is not null
