-- The ten activities that make up the most of what a piece of gear was used for, of equals the newest, and how many there are.
-- Parameters: `distance_m` or `moving_time_s`; athlete; gear; first and last day.
with used as (
    select
        activity_id,
        name,
        start_date_local,
        case cast(? as string) when 'distance_m' then distance_m else moving_time_s end as amount
    from mart.gear_activity
    where
        athlete_id = ?
        and gear_id = ?
        and start_date_local between cast(? as date) and cast(? as date)
)

select
    activity_id,
    name,
    start_date_local,
    count(*) over () as contributing_count
from used
where amount > 0
order by amount desc, start_date_local desc, activity_id desc
limit 10
