-- Seconds in each zone of a kind on each day, of activities whose curves are stored.
-- Parameters: athlete; kind of zones; first and last day; sport group or `all`, twice.
select
    zones.start_date_local,
    zones.zone,
    zones.bounds_source,
    sum(zones.seconds) as seconds
from mart.time_in_zone as zones
where
    zones.athlete_id = ?
    and zones.kind = ?
    and zones.start_date_local between cast(? as date) and cast(? as date)
    and (zones.sport_group = ? or ? = 'all')
group by zones.start_date_local, zones.zone, zones.bounds_source
having sum(zones.seconds) > 0
order by zones.start_date_local, zones.zone, zones.bounds_source
