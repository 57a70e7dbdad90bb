-- The routes used most, more than once: how often, how fast at best without a motor, how the latest activity on it is
-- called, and how many such routes there are in all.
-- Parameters: athlete; first and last day; sport group or `all`, twice; whether private activities are shown.
with used as (
    select
        route_groups.route_group_id,
        route_groups.activity_id,
        route_groups.sport_group,
        activities.name,
        activities.distance_m,
        case when not coalesce(activities.is_assisted, false) then activities.moving_time_s end as moving_time_s,
        activities.start_date_local,
        row_number() over (
            partition by route_groups.route_group_id
            order by activities.start_date_local desc, route_groups.activity_id desc
        ) as place
    from mart.route_group as route_groups
    inner join mart.fct_activities as activities
        on
            route_groups.athlete_id = activities.athlete_id
            and route_groups.activity_id = activities.activity_id
    where
        route_groups.athlete_id = ?
        and route_groups.start_date_local between cast(? as date) and cast(? as date)
        and (route_groups.sport_group = ? or ? = 'all')
        and (not route_groups.is_private or cast(? as bool))
)

select
    route_group_id,
    min(sport_group) as sport_group,
    count(*) as times,
    min(moving_time_s) as best_moving_time_s,
    max(start_date_local) as last_day,
    max(case when place = 1 then name end) as name,
    max(case when place = 1 then distance_m end) as distance_m,
    max(case when place = 1 then activity_id end) as activity_id,
    count(*) over () as group_count
from used
group by route_group_id
having count(*) > 1
order by times desc, last_day desc, route_group_id desc
limit 50
