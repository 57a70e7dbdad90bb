-- What waits of the athlete, and what is of nobody, by reason.
select
    w.wait_kind,
    w.athlete_id is null as is_unassigned,
    w.reason_kind,
    min(w.reason) as reason,
    count(*) as event_count,
    min(w.waits_since) as oldest_at,
    min(w.retry_at) as first_retry_at,
    max(w.retry_at) as last_retry_at
from mart.waiting_event as w
where
    w.athlete_id = ?
    or w.athlete_id is null
group by w.wait_kind, is_unassigned, w.reason_kind, case when w.reason_kind is null then w.reason end
order by event_count desc, wait_kind, reason
limit 20
