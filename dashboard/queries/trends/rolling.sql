-- Sums of the last 7, 28 or 90 days, for each day.
-- Parameters: athlete; sport group or `all`; window in days; first and last day.
select
    date_day,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    activity_count,
    is_warming_up
from mart.trend_rolling_daily
where
    athlete_id = ?
    and sport_group = ?
    and window_days = ?
    and date_day between cast(? as date) and cast(? as date)
order by date_day
