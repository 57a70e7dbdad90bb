{% set definition_version = 2 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'window_days', 'date_day'],
        on_schema_change='fail',
        pre_hook="{{ forget_rows_of_days('kept.date_day between changed.first_day and changed.last_day + 89') }}",
        cluster_by=['athlete_id', 'sport_group', 'window_days', 'date_day'],
        meta={'definition_version': definition_version},
    )
}}

-- days are numbered, not hours, so that one of 23 or 25 hours is one
with every_day as (
    select
        *,
        {{ period_number('day', 'date_day') }} as day_number
    from {{ ref('int_summaries__daily_by_group') }}
),

spans as (
    {{ missing_days('every_day', 'kept.window_days = 7') }}
),

-- what is missing, and the days before it that count
days as (
    select
        every_day.*,
        spans.first_day,
        spans.from_day
    from every_day
    inner join spans
        on
            every_day.athlete_id = spans.athlete_id
            and every_day.sport_group = spans.sport_group
            and every_day.date_day between {{ days_later('spans.from_day', -89) }} and spans.to_day
),

windows as (
    {%- for window_days in [7, 28, 90] %}
    {%- set last_days = 'over last_' ~ window_days ~ '_days' %}
    select
        athlete_id,
        sport_group,
        cast({{ window_days }} as int64) as window_days,
        date_day,
        date_day >= from_day as is_missing,
        least({{ days_between('first_day', 'date_day') }} + 1, {{ window_days }}) as days_in_window,
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
        * {{ except(['is_missing']) }},
        days_in_window < window_days as is_warming_up,
        cast({{ definition_version }} as int64) as definition_version
    from windows
    where is_missing
)

select * from final
