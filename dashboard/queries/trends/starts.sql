-- How many activities began at which hour of which weekday, and how many are left out for which reason.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    day_of_week,
    start_hour,
    excluded_reason,
    sum(activity_count) as activity_count,
    sum(moving_time_s) as moving_time_s
from mart.start_pattern
where
    athlete_id = ?
    and date_day between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
group by day_of_week, start_hour, excluded_reason
order by day_of_week, start_hour, excluded_reason
