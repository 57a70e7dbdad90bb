{{ config(materialized='view') }}

with events as (
    select * from {{ portable(ref('event_latency')) }}
),

windows as (
    select cast(1 as int64) as window_days
    union all
    select cast(30 as int64) as window_days
),

stages as (
    {%- for stage in ['save_to_heard', 'heard_to_raw', 'heard_to_chart', 'save_to_raw', 'save_to_chart'] %}
    select
        athlete_id,
        is_within_24h,
        is_on_chart,
        '{{ stage }}' as stage,
        {{ stage }}_s as seconds
    from events
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        stages.athlete_id,
        stages.stage,
        windows.window_days,
        count(*) as event_count,
        cast(sum(case when stages.is_on_chart then 0 else 1 end) as int64) as not_on_chart_count,
        {{ nearest_rank('stages.seconds', 0.5) }} as p50_s,
        {{ nearest_rank('stages.seconds', 0.95) }} as p95_s
    from stages
    inner join windows
        on
            windows.window_days = 30
            or stages.is_within_24h
    where stages.seconds is not null
    group by stages.athlete_id, stages.stage, windows.window_days
)

select * from final
