-- The twenty activities that went furthest.
select
    start_date_local as day,
    name,
    sport_type,
    round(distance_m / 1000, 1) as distance_km,
    round(moving_time_s / 3600, 2) as hours,
    gear_name as gear
from mart.fct_activities
where distance_m is not null
order by distance_m desc, activity_id
limit 20
