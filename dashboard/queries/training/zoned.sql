-- The ten activities that were longest in the zones of a kind, and how many there are in all.
-- Parameters: athlete, twice; kind of zones; first and last day; sport group or `all`, twice.
select
    zones.activity_id,
    activities.name,
    zones.start_date_local,
    count(*) over () as contributing_count
from mart.time_in_zone as zones
inner join mart.fct_activities as activities
    on zones.activity_id = activities.activity_id
where
    activities.athlete_id = ?
    and zones.athlete_id = ?
    and zones.kind = ?
    and zones.start_date_local between cast(? as date) and cast(? as date)
    and (zones.sport_group = ? or ? = 'all')
group by zones.activity_id, activities.name, zones.start_date_local
having sum(zones.seconds) > 0
order by sum(zones.seconds) desc, zones.start_date_local desc, zones.activity_id desc
limit 10
