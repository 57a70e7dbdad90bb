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
        calories_kcal,
        load
    from {{ ref('int_summaries__daily') }}
),

every_sport as (
    select
        athlete_id,
        'all' as sport_group,
        date_day,
        {{ total('activity_count') }} as activity_count,
        {{ total('distance_m') }} as distance_m,
        {{ total('moving_time_s') }} as moving_time_s,
        {{ total('elevation_gain_m') }} as elevation_gain_m,
        {{ total('calories_kcal') }} as calories_kcal,
        {{ total('load') }} as load
    from days
    group by athlete_id, date_day
),

final as (
    select * from days
    union all
    select * from every_sport
)

select * from final
