-- When the first of the events is due that are off the queue, and when the newest row of these was written; nulls where none is. BigQuery's
-- cache answers it until a row comes.
select
    min(retry_at) as retry_at,
    max(finished_at) as finished_at
from (
    select
        outcome,
        retry_at,
        received_at,
        finished_at,
        ingested_at = max(ingested_at) over (partition by event_id) as is_newest
    from strava_events
    where event_id in (select event_id from strava_events where outcome = 'deferred' and retry_at is not null)
)
where
    is_newest
    and outcome = 'deferred'
    and retry_at is not null
    and received_at is not null
