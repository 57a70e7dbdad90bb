{#- The daily summary by week, month or year: its days add up, and a period without any activity has days with zeros. -#}
{% macro summary_by(period) -%}
with days as (
    select * from {{ ref('activity_summary_daily') }}
),

periods as (
    select
        athlete_id,
        sport_group,
        {{ period_start(period, 'period_start_date') }} as first_day,
        sum(activity_count) as activity_count,
        {{ exact_sum('distance_m') }} as distance_m,
        sum(moving_time_s) as moving_time_s,
        sum(elapsed_time_s) as elapsed_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m,
        {{ exact_sum('energy_kj') }} as energy_kj,
        {{ exact_sum('load') }} as load
    from days
    group by athlete_id, sport_group, first_day
),

final as (
    select
        athlete_id,
        sport_group,
        first_day as period_start_date,
        {{ period_end(period, 'first_day') }} as period_end_date,
        cast(activity_count as int64) as activity_count,
        distance_m,
        cast(moving_time_s as int64) as moving_time_s,
        cast(elapsed_time_s as int64) as elapsed_time_s,
        elevation_gain_m,
        energy_kj,
        load
    from periods
)

select * from final
{%- endmacro %}
