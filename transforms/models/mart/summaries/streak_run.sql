{{ config(cluster_by=['athlete_id', 'sport_group', 'period_kind']) }}

with days as (
    select * from {{ ref('int_summaries__daily_by_group') }}
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
    select
        days.athlete_id,
        days.sport_group,
        '{{ period }}' as period_kind,
        {{ period_start(period, 'days.date_day') }} as period_start_date,
        {{ period_end(period, period_start(period, 'days.date_day')) }} as period_end_date,
        {{ period_number(period, 'days.date_day') }} as period_number,
        {{ period_number(period, 'todays.today') }} as running_number
    from days
    inner join todays on days.athlete_id = todays.athlete_id
    where days.activity_count > 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- within a run, a period's number and its place among the active ones keep their distance
placed as (
    select
        *,
        period_number - dense_rank() over (
            partition by athlete_id, sport_group, period_kind
            order by period_number
        ) as run_key
    from active
),

runs as (
    select
        athlete_id,
        sport_group,
        period_kind,
        min(period_start_date) as start_date,
        max(period_end_date) as end_date,
        max(period_number) - min(period_number) + 1 as length,
        max(running_number) - max(period_number) as periods_since
    from placed
    group by athlete_id, sport_group, period_kind, run_key
),

final as (
    select
        athlete_id,
        sport_group,
        period_kind,
        start_date,
        end_date,
        length,
        periods_since <= 1 as is_current,
        periods_since = 1 as is_at_risk,
        cast(1 as int64) as definition_version
    from runs
)

select * from final
