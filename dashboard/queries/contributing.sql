-- The ten activities that make up the most of a sum, of equals the newest, and how many there are in all. `eddington` is what
-- counts for that number, `start` those whose hour is known, `country` those in the time zone of a place, by time.
-- Parameters: `distance_m`, `moving_time_s`, `elevation_gain_m`, `load`, `eddington`, `eddington_real`, `start`, `country`, else
-- each counts the same; athlete; first and last day; sport group or `all`, twice; what a day has at the least.
with measured as (
    select
        activity_id,
        name,
        start_date_local,
        case cast(? as string)
            when 'distance_m' then distance_m
            when 'moving_time_s' then moving_time_s
            when 'elevation_gain_m' then elevation_gain_m
            when 'load' then load
            when 'eddington' then case when not is_assisted and not is_speed_inconsistent then distance_m end
            when 'eddington_real'
                then case when not is_assisted and not is_speed_inconsistent and not is_virtual then distance_m end
            when 'country'
                then case
                    when is_virtual or coalesce(utc_offset_source, '') = 'athlete' then 0
                    when timezone_name like 'Etc/%' or timezone_name in ('UTC', 'GMT') then 0
                    when timezone_name is not null then coalesce(nullif(moving_time_s, 0), 1)
                end
            when 'start' then case when is_manual or has_hidden_start_time then 0 else 1 end
            else 1
        end as amount
    from mart.fct_activities
    where
        athlete_id = ?
        and start_date_local between cast(? as date) and cast(? as date)
        and (sport_group = ? or ? = 'all')
),

of_days as (
    select
        *,
        sum(amount) over (partition by start_date_local) as amount_of_day
    from measured
    where amount > 0
)

select
    activity_id,
    name,
    start_date_local,
    count(*) over () as contributing_count
from of_days
where amount_of_day >= ?
order by amount desc, start_date_local desc, activity_id desc
limit 10
