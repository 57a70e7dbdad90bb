{{ config(materialized='view') }}

with events as (
    select * from {{ portable(ref('event_latency')) }}
),

periods as (
    select
        athlete_id,
        'hour' as period_kind,
        {{ dbt.date_trunc('hour', 'in_raw_at') }} as period_start_at,
        is_on_chart,
        save_to_chart_s
    from events
    where is_within_24h
    union all
    select
        athlete_id,
        'day' as period_kind,
        {{ dbt.date_trunc('day', 'in_raw_at') }} as period_start_at,
        is_on_chart,
        save_to_chart_s
    from events
),

final as (
    select
        athlete_id,
        period_kind,
        cast(period_start_at as timestamp) as period_start_at,
        count(*) as event_count,
        cast(sum(case when is_on_chart then 0 else 1 end) as int64) as not_on_chart_count,
        {{ nearest_rank('save_to_chart_s', 0.5) }} as p50_s,
        {{ nearest_rank('save_to_chart_s', 0.95) }} as p95_s
    from periods
    group by athlete_id, period_kind, period_start_at
)

select * from final
