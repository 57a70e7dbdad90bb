-- Gear that living activities name, and that is unknown or was last asked for before :observed_before.
with named as (
    select distinct json_extract(payload, '$.gear_id') as gear_id
    from strava_activities
    where athlete_id = :athlete_id and is_deleted = 0
)

select named.gear_id
from named
left join strava_gear as gear on named.gear_id = gear.gear_id
where typeof(named.gear_id) = 'text' and coalesce(gear.observed_at < :observed_before, 1)
order by named.gear_id;
