with events as (
    select * from {{ ref('stg_strava__events') }}
),

newest as (
    select
        athlete_id,
        max(event_at) as last_event_at,
        max(finished_at) as last_event_finished_at
    from events
    where athlete_id is not null
    group by athlete_id
),

final as (
    select
        newest.athlete_id,
        newest.last_event_at,
        newest.last_event_finished_at,
        max(events.outcome) as last_event_outcome
    from newest
    inner join events
        on
            newest.athlete_id = events.athlete_id
            and newest.last_event_finished_at = events.finished_at
    group by newest.athlete_id, newest.last_event_at, newest.last_event_finished_at
)

select * from final
