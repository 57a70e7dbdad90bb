{% set definition_version = 1 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'period_kind', 'period_start_date', 'sport_type', 'sport_group'],
        on_schema_change='fail',
        pre_hook="{{ forget_touched_periods(['week', 'month', 'year']) }}",
        cluster_by=['athlete_id', 'period_kind', 'period_start_date'],
        meta={'definition_version': definition_version},
        tags=['measures_only'],
    )
}}

with activities as (
    select * from {{ ref('fct_activities') }}
    where {{ day_has_come() }}
),

periods as (
    {%- for period in ['week', 'month', 'year'] %}
    select
        athlete_id,
        '{{ period }}' as period_kind,
        {{ period_start(period, 'start_date_local') }} as period_start_date,
        sport_type,
        sport_group,
        count(*) as activity_count,
        coalesce({{ exact_sum('distance_m') }}, 0) as distance_m,
        cast(coalesce(sum(moving_time_s), 0) as int64) as moving_time_s
    from activities
    where {{ is_touched_day(period_start(period, 'start_date_local'), period) }}
    group by athlete_id, period_start_date, sport_type, sport_group
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

totals as (
    select
        *,
        sum(activity_count) over (partition by athlete_id, period_kind, period_start_date) as total_count,
        {{ exact_sum('distance_m', 'over (partition by athlete_id, period_kind, period_start_date)') }} as total_distance_m,
        sum(moving_time_s) over (partition by athlete_id, period_kind, period_start_date) as total_time_s
    from periods
),

final as (
    select
        athlete_id,
        period_kind,
        period_start_date,
        sport_type,
        sport_group,
        activity_count,
        distance_m,
        moving_time_s,
        activity_count / total_count as share_of_count,
        distance_m / nullif(total_distance_m, 0) as share_of_distance,
        moving_time_s / nullif(total_time_s, 0) as share_of_time,
        cast({{ definition_version }} as int64) as definition_version
    from totals
)

select * from final
