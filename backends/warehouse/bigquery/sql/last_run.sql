-- The one written last: runs follow one another, and the clock of one that tells them may have been set back.
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
order by ingested_at desc
limit 1
