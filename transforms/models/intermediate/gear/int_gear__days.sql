{{ config(cluster_by=['athlete_id', 'gear_id']) }}

with activities as (
    select
        activity_id,
        athlete_id,
        gear_id,
        gear_name,
        sport_group,
        lower(name) as title,
        start_date_local as date_day,
        distance_m,
        moving_time_s,
        elevation_gain_m
    from {{ ref('fct_activities') }}
    where {{ day_has_come() }}
),

rules as (
    select * from {{ ref('stg_athlete_file__gear') }}
    where has_rule
),

-- what Strava gives no gear; of several rules the first in the file counts
ruled as (
    select
        activities.activity_id,
        min(rules.gear_number) as gear_number
    from activities
    inner join rules on activities.athlete_id = rules.athlete_id
    where
        activities.gear_id is null
        and rules.sport_group in ('all', activities.sport_group)
        and (rules.title_has is null or strpos(activities.title, lower(rules.title_has)) > 0)
        and (rules.valid_from is null or activities.date_day >= rules.valid_from)
        and (rules.valid_to is null or activities.date_day <= rules.valid_to)
    group by activities.activity_id
),

used as (
    select
        activities.*,
        case
            when activities.gear_id is not null then activities.gear_id
            when ruled.gear_number is not null then concat('own-', cast(ruled.gear_number as {{ dbt.type_string() }}))
        end as used_gear_id
    from activities
    left join ruled on activities.activity_id = ruled.activity_id
),

final as (
    select
        athlete_id,
        used_gear_id as gear_id,
        date_day,
        max(gear_name) as gear_name,
        count(*) as activity_count,
        {{ exact_sum('coalesce(distance_m, 0)') }} as distance_m,
        cast(coalesce(sum(moving_time_s), 0) as int64) as moving_time_s,
        {{ exact_sum('coalesce(elevation_gain_m, 0)') }} as elevation_gain_m
    from used
    where used_gear_id is not null
    group by athlete_id, used_gear_id, date_day
)

select * from final
