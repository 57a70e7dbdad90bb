{{ config(materialized='ephemeral') }}

-- Events of the last thirty days that reached raw, once each, with the seconds they took; bounded, whatever is stored.
with recent as (
    select * from {{ ref('stg_strava__events') }}
    where
        outcome in ('stored', 'unchanged', 'deleted')
        and event_at is not null
        and finished_at >= {{ days_ago(30) }}
),

runs as (
    select * from {{ ref('stg_strava__transform_runs') }}
),

-- a repetition of an event is no second save: its first arrival counts
numbered as (
    select
        *,
        row_number() over (partition by athlete_id, event_id order by ingested_at) as place
    from recent
),

arrivals as (
    select
        athlete_id,
        event_id,
        event_at,
        finished_at,
        greatest(finished_at, ingested_at) as visible_at
    from numbered
    where place = 1
),

-- runs and arrivals on one line of time: the first publication at or after an arrival is that of the first run that saw it
moments as (
    select
        athlete_id,
        event_id,
        event_at,
        finished_at,
        visible_at as moment,
        cast(null as timestamp) as published_at
    from arrivals
    union all
    select
        cast(null as int64) as athlete_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        cast(null as timestamp) as event_at,
        cast(null as timestamp) as finished_at,
        started_at as moment,
        published_at
    from runs
),

seen as (
    select
        *,
        min(published_at) over (order by moment range between current row and unbounded following) as first_published_at
    from moments
),

final as (
    select
        athlete_id,
        event_id,
        finished_at,
        {{ seconds_between('event_at', 'finished_at') }} as save_to_raw_s,
        {{ seconds_between('event_at', 'coalesce(first_published_at, ' ~ as_of() ~ ')') }} as save_to_mart_s
    from seen
    where event_at is not null
)

select * from final
