{% set definition_version = 1 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'period_kind', 'period', 'start_date'],
        on_schema_change='fail',
        pre_hook="{{ forget_rows_of_days() }}",
        cluster_by=['athlete_id', 'sport_group', 'period_kind'],
        meta={'definition_version': definition_version},
    )
}}

with days as (
    select * from {{ ref('int_summaries__daily_by_group') }}
    where {{ is_missing('athlete_id, sport_group') }}
),

todays as (
    select
        athlete_id,
        max(date_day) as today
    from days
    group by athlete_id
),

active as (
    {%- for period in ['day', 'week', 'month'] %}
    select distinct
        days.athlete_id,
        days.sport_group,
        '{{ period }}' as period_kind,
        {{ period_start(period, 'days.date_day') }} as period_start_date,
        {{ period_end(period, period_start(period, 'days.date_day')) }} as period_end_date,
        {{ period_number(period, 'days.date_day') }} as period_number,
        {{ period_number(period, 'todays.today') }} as running_number,
        {{ date_number('isoyear' if period == 'week' else 'year', 'days.date_day') }} as year,
        {{ date_number('isoyear' if period == 'week' else 'year', 'todays.today') }} as running_year
    from days
    inner join todays on days.athlete_id = todays.athlete_id
    where days.activity_count > 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- a run over New Year is one of all time, and one of each year
of_periods as (
    select
        *,
        'all' as period
    from active
    union all
    select
        *,
        cast(year as {{ dbt.type_string() }}) as period
    from active
),

-- within a run, a period's number and its place among the active ones keep their distance
placed as (
    select
        *,
        period_number - dense_rank() over (
            partition by athlete_id, sport_group, period_kind, period
            order by period_number
        ) as run_key
    from of_periods
),

runs as (
    select
        athlete_id,
        sport_group,
        period_kind,
        period,
        min(period_start_date) as start_date,
        max(period_end_date) as end_date,
        max(period_number) - min(period_number) + 1 as length,
        max(running_number) - max(period_number) as periods_since,
        period = 'all' or max(year) = max(running_year) as may_go_on
    from placed
    group by athlete_id, sport_group, period_kind, period, run_key
),

final as (
    select
        athlete_id,
        sport_group,
        period_kind,
        period,
        start_date,
        end_date,
        length,
        periods_since <= 1 and may_go_on as is_current,
        periods_since = 1 and may_go_on as is_at_risk,
        cast({{ definition_version }} as int64) as definition_version
    from runs
)

select * from final
