{{ config(materialized='view') }}

with arrivals as (
    select * from {{ portable(ref('int_pipeline__arrivals')) }}
),

build as (
    select * from {{ portable(ref('int_pipeline__build')) }}
),

-- what this build is the first to show is on a chart when it ends; what came meanwhile is not, and has waited until then
shown as (
    select
        arrivals.*,
        coalesce(arrivals.first_published_at, greatest(build.finished_at, arrivals.in_raw_at)) as on_chart_at,
        arrivals.first_published_at is not null or arrivals.in_raw_at <= build.started_at as is_on_chart
    from arrivals
    cross join build
),

final as (
    select
        event_id,
        athlete_id,
        activity_id,
        aspect_type,
        outcome,
        event_at,
        received_at,
        in_raw_at,
        is_within_24h,
        is_on_chart,
        {{ seconds_between('event_at', 'received_at') }} as save_to_heard_s,
        {{ seconds_between('received_at', 'in_raw_at') }} as heard_to_raw_s,
        {{ seconds_between('received_at', 'on_chart_at') }} as heard_to_chart_s,
        {{ seconds_between('event_at', 'in_raw_at') }} as save_to_raw_s,
        {{ seconds_between('event_at', 'on_chart_at') }} as save_to_chart_s
    from shown
)

select * from final
