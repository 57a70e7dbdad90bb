-- A row per stage and window with an event in it.
select
    stage,
    window_days,
    event_count,
    not_on_chart_count,
    p50_s,
    p95_s
from mart.pipeline_latency
where athlete_id = ?
order by stage, window_days
