{%- set within_24h = 'finished_at >= ' ~ days_ago(1) %}
{%- set within_30d = 'finished_at >= ' ~ days_ago(30) %}

with events as (
    select * from {{ ref('stg_strava__events') }}
),

runs as (
    select * from {{ ref('stg_strava__transform_runs') }}
    where
        published_at is not null
        and error is null
),

-- events of the last thirty days that reached raw: bounded, however much is stored
recent as (
    select
        *,
        row_number() over (partition by athlete_id, event_id order by ingested_at) as place
    from events
    where
        outcome in ('stored', 'unchanged', 'deleted')
        and event_at is not null
        and {{ within_30d }}
),

-- arrivals and runs on one line of time: the first publication after an arrival is that of the first run that saw it.
-- A repetition of an event is no second save, so its first arrival counts.
moments as (
    select
        athlete_id,
        event_at,
        finished_at,
        greatest(finished_at, ingested_at) as moment,
        cast(null as timestamp) as published_at
    from recent
    where place = 1
    union all
    select
        cast(null as int64) as athlete_id,
        cast(null as timestamp) as event_at,
        cast(null as timestamp) as finished_at,
        started_at as moment,
        published_at
    from runs
),

seen as (
    select
        *,
        min(published_at) over (
            order by moment
            range between current row and unbounded following
        ) as first_published_at
    from moments
),

-- what came while this build began waits for the next one: so far it has taken until it was there
latencies as (
    select
        athlete_id,
        finished_at,
        {{ seconds_between('event_at', 'finished_at') }} as save_to_raw_s,
        {{ seconds_between('event_at', 'coalesce(first_published_at, greatest(' ~ as_of() ~ ', moment))') }} as save_to_mart_s
    from seen
    where event_at is not null
),

final as (
    select
        athlete_id,
        sum(case when {{ within_24h }} then 1 else 0 end) as event_count_24h,
        count(*) as event_count_30d,
        {{ nearest_rank('save_to_raw_s', 0.5, within_24h) }} as save_to_raw_p50_24h_s,
        {{ nearest_rank('save_to_raw_s', 0.5, within_30d) }} as save_to_raw_p50_30d_s,
        {{ nearest_rank('save_to_raw_s', 0.95, within_24h) }} as save_to_raw_p95_24h_s,
        {{ nearest_rank('save_to_raw_s', 0.95, within_30d) }} as save_to_raw_p95_30d_s,
        {{ nearest_rank('save_to_mart_s', 0.5, within_24h) }} as save_to_mart_p50_24h_s,
        {{ nearest_rank('save_to_mart_s', 0.5, within_30d) }} as save_to_mart_p50_30d_s,
        {{ nearest_rank('save_to_mart_s', 0.95, within_24h) }} as save_to_mart_p95_24h_s,
        {{ nearest_rank('save_to_mart_s', 0.95, within_30d) }} as save_to_mart_p95_30d_s
    from latencies
    where athlete_id is not null
    group by athlete_id
)

select * from final
