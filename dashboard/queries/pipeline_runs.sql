-- The newest checks of the athlete, and the newest runs of the transforms, which are for all.
select
    run_id,
    run_kind,
    started_at,
    duration_s,
    result,
    reason,
    stopped_kind,
    extra_count,
    left_count,
    unreadable_count
from mart.pipeline_run
where
    (athlete_id = ? or run_kind = 'transform')
    and recency <= 7
order by run_kind, started_at desc
