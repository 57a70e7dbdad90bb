-- Sums of each month of two years.
-- Parameters: athlete; the one and the other year; sport group or `all`, twice.
select
    period_start_date,
    coalesce(sum(activity_count), 0) as activity_count,
    coalesce(sum(cast(distance_m as decimal(35, 6))), 0) as distance_m,
    coalesce(sum(moving_time_s), 0) as moving_time_s,
    coalesce(sum(cast(elevation_gain_m as decimal(35, 6))), 0) as elevation_gain_m
from mart.activity_summary
where
    athlete_id = ?
    and period_kind = 'month'
    and extract(year from period_start_date) in (?, ?)
    and (sport_group = ? or ? = 'all')
group by period_start_date
order by period_start_date
