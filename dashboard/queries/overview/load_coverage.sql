-- How much of the load of a span each method gave, most first.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    load_method,
    count(*) as activity_count,
    sum(load) as load,
    sum(load) / sum(sum(load)) over () as load_share
from mart.fct_activities
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
    and load > 0
group by load_method
order by load desc, load_method
