{{ config(cluster_by=['athlete_id', 'gear_id']) }}

with activities as (
    select
        athlete_id,
        gear_id,
        gear_name,
        start_date_local as date_day,
        distance_m,
        moving_time_s,
        elevation_gain_m
    from {{ ref('gear_activity') }}
    where {{ day_has_come() }}
),

final as (
    select
        athlete_id,
        gear_id,
        date_day,
        max(gear_name) as gear_name,
        count(*) as activity_count,
        {{ exact_sum('coalesce(distance_m, 0)') }} as distance_m,
        cast(coalesce(sum(moving_time_s), 0) as int64) as moving_time_s,
        {{ exact_sum('coalesce(elevation_gain_m, 0)') }} as elevation_gain_m
    from activities
    group by athlete_id, gear_id, date_day
)

select * from final
