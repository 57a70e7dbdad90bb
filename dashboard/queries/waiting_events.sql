-- What waits of the athlete, and what is of nobody, by reason.
select
    wait_kind,
    athlete_id is null as is_unassigned,
    reason,
    count(*) as event_count,
    min(waits_since) as oldest_at,
    min(retry_at) as first_retry_at,
    max(retry_at) as last_retry_at
from mart.waiting_event
where
    athlete_id = ?
    or athlete_id is null
group by wait_kind, is_unassigned, reason
order by event_count desc, wait_kind, reason
limit 20
