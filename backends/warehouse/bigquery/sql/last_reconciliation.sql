select *
from reconciliations
where athlete_id = @athlete_id
order by finished_at desc, started_at desc
limit 1
