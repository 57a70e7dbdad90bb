{{ config(cluster_by=['athlete_id', 'sport_group']) }}

with days as (
    select
        athlete_id,
        sport_group,
        date_day,
        activity_count,
        distance_m,
        moving_time_s,
        elevation_gain_m,
        load
    from {{ ref('int_summaries__daily') }}
),

every_sport as (
    select
        athlete_id,
        'all' as sport_group,
        date_day,
        cast(sum(activity_count) as int64) as activity_count,
        {{ exact_sum('distance_m') }} as distance_m,
        cast(sum(moving_time_s) as int64) as moving_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m,
        {{ exact_sum('load') }} as load
    from days
    group by athlete_id, date_day
),

final as (
    select * from days
    union all
    select * from every_sport
)

select * from final
