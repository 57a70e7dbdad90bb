-- What stopped the newest run of the transforms; null when nothing did.
select error
from transform_runs
order by started_at desc
limit 1
