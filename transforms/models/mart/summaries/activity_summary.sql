{% set definition_version = 2 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'period_kind', 'period_start_date'],
        on_schema_change='fail',
        pre_hook="{{ forget_rows_of_days('kept.period_start_date <= changed.last_day and kept.period_end_date >= changed.first_day') }}",
        cluster_by=['athlete_id', 'period_kind', 'period_start_date'],
        meta={'definition_version': definition_version},
    )
}}

with days as (
    select * from {{ ref('int_summaries__daily') }}
),

-- the days of a period add up, and a period without any activity has days with zeros
periods as (
    {%- for period in ['day', 'week', 'month', 'year'] %}
    select
        athlete_id,
        sport_group,
        '{{ period }}' as period_kind,
        {{ period_start(period, 'date_day') }} as period_start_date,
        {{ period_end(period, period_start(period, 'date_day')) }} as period_end_date,
        sum(activity_count) as activity_count,
        {{ exact_sum('distance_m') }} as distance_m,
        sum(moving_time_s) as moving_time_s,
        sum(elapsed_time_s) as elapsed_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m,
        {{ exact_sum('energy_kj') }} as energy_kj,
        {{ exact_sum('load') }} as load,
        sum(speed_activity_count) as speed_activity_count,
        {{ exact_sum('speed_distance_m') }} as speed_distance_m,
        sum(speed_time_s) as speed_time_s
    from days
    {%- if is_incremental() %}
    anti join {{ this }} as kept
        on
            days.athlete_id = kept.athlete_id
            and days.sport_group = kept.sport_group
            and {{ period_start(period, 'days.date_day') }} = kept.period_start_date
            and kept.period_kind = '{{ period }}'
    {%- endif %}
    group by athlete_id, sport_group, period_start_date, period_end_date
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        athlete_id,
        sport_group,
        period_kind,
        period_start_date,
        period_end_date,
        cast(activity_count as int64) as activity_count,
        distance_m,
        cast(moving_time_s as int64) as moving_time_s,
        cast(elapsed_time_s as int64) as elapsed_time_s,
        elevation_gain_m,
        energy_kj,
        load,
        speed_distance_m * 3.6 / nullif(speed_time_s, 0) as average_speed_kmh,
        cast(speed_activity_count as int64) as speed_activity_count,
        cast({{ definition_version }} as int64) as definition_version
    from periods
)

select * from final
