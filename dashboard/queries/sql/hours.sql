-- How many activities began in each hour of the day.
select
    start_hour as hour_of_day,
    sum(activity_count) as activities
from mart.start_pattern
where start_hour is not null
group by start_hour
order by start_hour
