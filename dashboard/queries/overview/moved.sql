-- What changed since a moment, in numbers: activities that are new or back by what they are now, and edits by what they moved.
-- Imports, and what deleted activities had, are in no sum; nor is the load that an edit moved.
-- Parameters: athlete; the moment; whether private activities are told; athlete.
with since as (
    select
        activity_id,
        change_kind,
        changed_field,
        difference
    from mart.change_log
    where
        athlete_id = ?
        and changed_at > cast(? as timestamp)
        and (cast(? as bool) or not is_private)
        and source not in ('archive', 'import')
),

fresh as (
    select distinct activity_id
    from since
    where change_kind in ('added', 'restored')
),

moves as (
    select
        activities.distance_m,
        activities.moving_time_s,
        activities.elevation_gain_m,
        activities.load
    from mart.fct_activities as activities
    inner join fresh on activities.activity_id = fresh.activity_id
    where activities.athlete_id = ?
    union all
    select
        case when since.changed_field = 'distance' then since.difference end as distance_m,
        case when since.changed_field = 'moving_time' then since.difference end as moving_time_s,
        case when since.changed_field = 'total_elevation_gain' then since.difference end as elevation_gain_m,
        null as load
    from since
    left join fresh on since.activity_id = fresh.activity_id
    where
        since.change_kind = 'changed'
        and fresh.activity_id is null
)

select
    coalesce(sum(cast(distance_m as decimal(35, 6))), 0) as distance_m,
    coalesce(sum(moving_time_s), 0) as moving_time_s,
    coalesce(sum(cast(elevation_gain_m as decimal(35, 6))), 0) as elevation_gain_m,
    coalesce(sum(cast(load as decimal(35, 6))), 0) as load
from moves
