-- Of the run that was written last.
select error
from transform_runs
order by ingested_at desc
limit 1
