-- How long each piece of gear was used in two years.
-- Parameters: athlete; the one and the other year.
select
    extract(year from month_start_date) as year,
    gear_id,
    gear_name,
    sum(activity_count) as activity_count,
    coalesce(sum(cast(distance_m as decimal(35, 6))), 0) as distance_m,
    sum(moving_time_s) as moving_time_s
from mart.gear_usage_month
where
    athlete_id = ?
    and extract(year from month_start_date) in (?, ?)
group by extract(year from month_start_date), gear_id, gear_name
order by year, moving_time_s desc, gear_id
