-- Which sport groups the athlete has done, on which days first and last, and on which last of those without details;
-- without activities of no known day.
-- Parameter: athlete.
select
    sport_group,
    min(start_date_local) as first_day,
    max(start_date_local) as last_day,
    max(case when resource_state < 3 then start_date_local end) as last_day_without_details
from mart.fct_activities
where athlete_id = ? and start_date_local is not null
group by sport_group
order by sport_group
