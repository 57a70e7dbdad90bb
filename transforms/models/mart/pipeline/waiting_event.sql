{{ config(cluster_by=['athlete_id']) }}

with open_events as (
    select * from {{ ref('int_pipeline__open_events') }}
),

athletes as (
    select * from {{ ref('stg_strava__athletes') }}
    where status != 'revoked'
),

final as (
    select
        open_events.delivery_id,
        open_events.event_id,
        athletes.athlete_id,
        open_events.activity_id,
        open_events.aspect_type,
        case
            when open_events.outcome = 'deferred' then 'deferred'
            when open_events.delivery_id like '%/dead' then 'dead_letter'
            else 'parked'
        end as wait_kind,
        open_events.reason,
        open_events.reason_kind,
        open_events.received_at,
        open_events.finished_at as waits_since,
        open_events.retry_at
    from open_events
    left join athletes on open_events.athlete_id = athletes.athlete_id
)

select * from final
