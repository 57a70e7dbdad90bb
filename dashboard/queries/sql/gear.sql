-- Each piece of gear: kilometres, hours, and what a kilometre cost.
select
    gear_name as gear,
    round(distance_m / 1000) as distance_km,
    round(moving_time_s / 3600) as hours,
    round(cost_per_km, 2) as cost_per_km,
    last_used_on as last_used
from mart.gear_usage
order by distance_m desc, gear_name, gear_id
