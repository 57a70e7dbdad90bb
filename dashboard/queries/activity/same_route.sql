-- The activities on the same route as one, itself included, the fastest first; those with a motor have no rank.
-- Parameters: athlete; activity; athlete; whether private activities are shown.
with here as (
    select route_group_id
    from mart.route_group
    where
        athlete_id = ?
        and activity_id = ?
)

select
    activities.activity_id,
    activities.name,
    activities.sport_type,
    activities.start_date_local,
    activities.moving_time_s,
    case
        when not activities.is_assisted
            then rank() over (
                partition by activities.is_assisted
                order by activities.moving_time_s nulls last
            )
    end as time_rank,
    count(*) over () as route_count
from mart.route_group as route_groups
inner join here on route_groups.route_group_id = here.route_group_id
inner join mart.fct_activities as activities
    on
        route_groups.athlete_id = activities.athlete_id
        and route_groups.activity_id = activities.activity_id
where
    route_groups.athlete_id = ?
    and (not route_groups.is_private or cast(? as bool))
order by activities.is_assisted, activities.moving_time_s nulls last, activities.start_date_local, activities.activity_id
