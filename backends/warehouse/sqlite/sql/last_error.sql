-- Of the run that was written last, as in last_run.
select error
from transform_runs
order by rowid desc
limit 1;
