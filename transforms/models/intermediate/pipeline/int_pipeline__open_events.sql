with events as (
    select * from {{ ref('stg_strava__events') }}
),

-- few rows wait or are parked; only these are looked at again
unsettled as (
    select
        delivery_id,
        event_id,
        athlete_id,
        outcome,
        ingested_at
    from events
    where outcome in ('parked', 'deferred')
),

-- a message that could not be read is an event of its own, which a person's dismissal finishes
superseded as (
    select distinct unsettled.delivery_id
    from unsettled
    inner join events on unsettled.event_id = events.event_id
    where events.ingested_at > unsettled.ingested_at
),

final as (
    select
        unsettled.delivery_id,
        unsettled.event_id,
        unsettled.athlete_id,
        unsettled.outcome
    from unsettled
    left join superseded on unsettled.delivery_id = superseded.delivery_id
    where superseded.delivery_id is null
)

select * from final
