{{ config(cluster_by=['athlete_id', 'sport_group']) }}

with activities as (
    select
        athlete_id,
        sport_group,
        start_date_local,
        {{ credible_distance_m() }} as distance_m,
        moving_time_s,
        elapsed_time_s,
        {{ climbed_outdoors_m() }} as elevation_gain_m,
        energy_kj,
        calories_kcal
    from {{ ref('fct_activities') }}
    where
        not is_assisted
        and {{ day_has_come() }}
),

days as (
    select
        athlete_id,
        sport_group,
        start_date_local as date_day,
        {{ exact_sum('distance_m') }} as distance_m,
        sum(moving_time_s) as moving_time_s,
        sum(elapsed_time_s) as elapsed_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m,
        {{ exact_sum('energy_kj') }} as energy_kj,
        {{ exact_sum('calories_kcal') }} as calories_kcal
    from activities
    group by athlete_id, sport_group, start_date_local
),

every_sport as (
    select
        athlete_id,
        'all' as sport_group,
        date_day,
        {{ exact_sum('distance_m') }} as distance_m,
        sum(moving_time_s) as moving_time_s,
        sum(elapsed_time_s) as elapsed_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m,
        {{ exact_sum('energy_kj') }} as energy_kj,
        {{ exact_sum('calories_kcal') }} as calories_kcal
    from days
    group by athlete_id, date_day
),

united as (
    select * from days
    union all
    select * from every_sport
),

final as (
    select
        athlete_id,
        sport_group,
        date_day,
        distance_m,
        cast(moving_time_s as int64) as moving_time_s,
        cast(elapsed_time_s as int64) as elapsed_time_s,
        elevation_gain_m,
        energy_kj,
        calories_kcal
    from united
)

select * from final
