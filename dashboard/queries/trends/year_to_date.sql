-- The newest day up to one: what was done since 1 January, by the same day a year before, and by 31 December at the pace of the last 28 days.
-- Parameters: athlete; sport group or `all`; the day.
select
    date_day,
    day_of_year,
    days_in_year,
    distance_m,
    last_year_distance_m,
    difference_distance_m,
    projected_distance_m,
    moving_time_s,
    last_year_moving_time_s,
    difference_moving_time_s,
    projected_moving_time_s,
    elevation_gain_m,
    last_year_elevation_gain_m,
    difference_elevation_gain_m,
    projected_elevation_gain_m,
    activity_count,
    last_year_activity_count,
    difference_activity_count,
    projected_activity_count
from mart.trend_year_over_year
where
    athlete_id = ?
    and sport_group = ?
    and date_day <= cast(? as date)
order by date_day desc
limit 1
