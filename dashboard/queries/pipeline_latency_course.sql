-- A row per hour or day with an event in it.
select
    period_start_at,
    event_count,
    not_on_chart_count,
    p50_s,
    p95_s
from mart.pipeline_latency_course
where
    athlete_id = ?
    and period_kind = ?
order by period_start_at
