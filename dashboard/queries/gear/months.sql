-- How far each piece of gear went in each month.
-- Parameters: athlete; kind of gear, or all, twice.
select
    gear_id,
    gear_name,
    month_start_date,
    activity_count,
    distance_m,
    moving_time_s
from mart.gear_usage_month
where
    athlete_id = ?
    and (gear_kind = ? or ? = 'all')
order by month_start_date, gear_id
