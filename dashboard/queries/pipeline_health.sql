-- One row per connected athlete; any change in it means that the marts were built anew.
select *
from mart.pipeline_health
order by athlete_id
