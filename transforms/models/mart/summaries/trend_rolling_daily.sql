{% set definition_version = 2 %}
{{ config(cluster_by=['athlete_id', 'sport_group', 'window_days', 'date_day'], meta={'definition_version': definition_version}) }}

-- days are numbered, not hours, so that one of 23 or 25 hours is one
with days as (
    select
        *,
        {{ period_number('day', 'date_day') }} as day_number
    from {{ ref('int_summaries__daily_by_group') }}
),

windows as (
    {%- for window_days in [7, 28, 90] %}
    {%- set last_days = 'over last_' ~ window_days ~ '_days' %}
    select
        athlete_id,
        sport_group,
        cast({{ window_days }} as int64) as window_days,
        date_day,
        least(day_number - min(day_number) over (partition by athlete_id, sport_group) + 1, {{ window_days }}) as days_in_window,
        {{ total('activity_count', last_days) }} as activity_count,
        {{ total('distance_m', last_days) }} as distance_m,
        {{ total('moving_time_s', last_days) }} as moving_time_s,
        {{ total('elevation_gain_m', last_days) }} as elevation_gain_m,
        {{ total('load', last_days) }} as load
    from days
    window
        last_{{ window_days }}_days as (
            partition by athlete_id, sport_group
            order by day_number
            range between {{ window_days - 1 }} preceding and current row
        )
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        *,
        days_in_window < window_days as is_warming_up,
        cast({{ definition_version }} as int64) as definition_version
    from windows
)

select * from final
