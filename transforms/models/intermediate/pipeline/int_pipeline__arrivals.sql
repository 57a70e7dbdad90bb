with events as (
    select * from {{ ref('stg_strava__events') }}
),

runs as (
    select * from {{ ref('stg_strava__transform_runs') }}
    where
        published_at is not null
        and error is null
),

in_raw as (
    select
        *,
        greatest(finished_at, ingested_at) as in_raw_at
    from events
    where
        outcome in ('stored', 'unchanged', 'deleted')
        and event_at is not null
        and attempt != 0 -- a replay comes when a person asks
),

-- the last thirty days: bounded, however much is stored; a repetition of an event is no second save, so its first arrival counts,
-- and none where it was heard before that: an earlier arrival may be pruned
recent as (
    select
        *,
        row_number() over (partition by athlete_id, event_id order by ingested_at) as place
    from in_raw
    where
        in_raw_at >= {{ days_ago(30) }}
        and (received_at is null or received_at >= {{ days_ago(30) }})
),

-- arrivals and runs on one line of time: the first publication after an arrival is that of the first run that saw it
moments as (
    select
        delivery_id,
        in_raw_at as moment,
        cast(null as timestamp) as published_at
    from recent
    where place = 1
    union all
    select
        cast(null as string) as delivery_id,
        started_at as moment,
        published_at
    from runs
),

seen as (
    select
        delivery_id,
        min(published_at) over (
            order by moment
            range between current row and unbounded following
        ) as first_published_at
    from moments
),

final as (
    select
        recent.event_id,
        recent.athlete_id,
        recent.object_id as activity_id,
        recent.aspect_type,
        recent.outcome,
        recent.event_at,
        recent.received_at,
        recent.in_raw_at,
        seen.first_published_at,
        recent.in_raw_at >= {{ days_ago(1) }} as is_within_24h
    from recent
    inner join seen on recent.delivery_id = seen.delivery_id
)

select * from final
