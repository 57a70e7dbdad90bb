-- What each year came to, all sports together.
select
    year,
    activity_count as activities,
    round(distance_m / 1000) as distance_km,
    round(moving_time_s / 3600) as hours,
    round(elevation_gain_m) as climbed_m,
    active_day_count as active_days
from mart.year_review
where sport_group = 'all'
order by year
