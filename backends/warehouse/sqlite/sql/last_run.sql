-- The one written last: runs follow one another, and the clock may have been set back between two of them.
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
order by rowid desc
limit 1;
