-- How much load each method gave on each day.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    start_date_local,
    load_method,
    count(*) as activity_count,
    sum(load) as load
from mart.fct_activities
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
    and load > 0
group by start_date_local, load_method
order by start_date_local, load_method
