select
    run_id,
    watermark,
    started_at,
    finished_at,
    published_at,
    is_full_refresh,
    error
from transform_runs
where published_at is not null
order by published_at desc
limit 1;
