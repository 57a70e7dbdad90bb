with events as (
    select * from {{ ref('stg_strava__events') }}
),

-- few rows wait or are parked; only these are looked at again
unsettled as (
    select
        delivery_id,
        event_id,
        athlete_id,
        case when object_type = 'activity' then object_id end as activity_id,
        aspect_type,
        outcome,
        reason,
        reason_kind,
        received_at,
        finished_at,
        retry_at,
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
        unsettled.activity_id,
        unsettled.aspect_type,
        unsettled.outcome,
        unsettled.outcome = 'deferred'
        and (unsettled.retry_at is null or unsettled.delivery_id like concat(unsettled.event_id, '/again/%')) as is_in_queue,
        unsettled.reason,
        unsettled.reason_kind,
        unsettled.received_at,
        unsettled.finished_at,
        unsettled.retry_at
    from unsettled
    left join superseded on unsettled.delivery_id = superseded.delivery_id
    where superseded.delivery_id is null
)

select * from final
