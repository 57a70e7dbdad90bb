-- The ten activities that visited the most explorer tiles, and how many visited any.
-- Parameters: athlete, twice; zoom; first and last day; sport group or `all`, twice; whether private activities are shown.
select
    visits.activity_id,
    activities.name,
    visits.start_date_local,
    count(*) over () as contributing_count
from mart.tile_visit as visits
inner join mart.fct_activities as activities
    on visits.activity_id = activities.activity_id
where
    activities.athlete_id = ?
    and visits.athlete_id = ?
    and visits.z = ?
    and visits.start_date_local between cast(? as date) and cast(? as date)
    and (visits.sport_group = ? or ? = 'all')
    and (not visits.is_private or cast(? as bool))
group by visits.activity_id, activities.name, visits.start_date_local
order by count(*) desc, visits.start_date_local desc, visits.activity_id desc
limit 10
