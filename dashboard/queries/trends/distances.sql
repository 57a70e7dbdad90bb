-- How many activities have which distance, in steps; those without a distance are in step null.
-- Parameters: metres of a step; athlete; first and last day; sport group or `all`, twice.
select
    sport_group,
    case when distance_m > 0 then cast(floor(distance_m / ?) as int64) end as step,
    count(*) as activity_count
from mart.fct_activities
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
group by sport_group, step
order by step, sport_group
