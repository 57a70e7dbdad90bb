-- What was done since 1 January, day by day.
-- Parameters: athlete; sport group or `all`; first and last day.
select
    date_day,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    activity_count
from mart.trend_year_over_year
where
    athlete_id = ?
    and sport_group = ?
    and date_day between cast(? as date) and cast(? as date)
order by date_day
