-- Kilometres of each week, newest first.
select
    period_start_date as week,
    round(sum(distance_m) / 1000, 1) as distance_km
from mart.activity_summary
where period_kind = 'week'
group by period_start_date
order by period_start_date desc
limit 104
