-- Which sport groups the athlete has done, and on which days first and last; without those of no known day.
-- Parameter: athlete.
select
    sport_group,
    min(start_date_local) as first_day,
    max(start_date_local) as last_day
from mart.fct_activities
where athlete_id = ? and start_date_local is not null
group by sport_group
order by sport_group
