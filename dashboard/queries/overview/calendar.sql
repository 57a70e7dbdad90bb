-- How much was done on each day, and which fifth of the athlete's days it belongs to.
-- Parameters: athlete; sport group or `all`; first and last day.
select
    date_day,
    week_start_date,
    day_of_week,
    activity_count,
    moving_time_s,
    moving_time_class
from mart.calendar_heat
where
    athlete_id = ?
    and sport_group = ?
    and date_day between cast(? as date) and cast(? as date)
order by date_day
