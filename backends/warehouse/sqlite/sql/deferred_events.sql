-- Events that are off the queue until retry_at: live ones first, then those that were parked, of which there may be many, and last
-- those that a person asked for. A row from the future, written before the clock was set back, is due too: its retry_at may be
-- years away. Each part reads only the index rows of its kind, and no more of the events than it returns.
with due as (
    select *
    from (
        select
            delivery_id,
            instr(delivery_id, '/taken-up/') > 0 as place,
            retry_at
        from waiting_events
        where is_replay = 0 and retry_at <= coalesce(:due_by, '9999')
        order by place, retry_at
        limit :how_many
    )
    union
    select *
    from (
        select
            delivery_id,
            2 as place,
            retry_at
        from waiting_events
        where is_replay = 1 and retry_at <= coalesce(:due_by, '9999')
        order by retry_at
        limit :how_many
    )
    union
    select *
    from (
        select
            delivery_id,
            case when is_replay = 0 then instr(delivery_id, '/taken-up/') > 0 else 2 end as place,
            retry_at
        from waiting_events
        where finished_at > :future
        order by finished_at
        limit :how_many
    )
)

select
    events.delivery_id,
    events.event_id,
    events.object_type,
    events.aspect_type,
    events.object_id,
    events.athlete_id,
    events.subscription_id,
    events.event_time,
    events.updates,
    events.received_at,
    events.outcome,
    events.reason,
    events.reason_kind,
    events.message,
    events.retry_at,
    events.attempt,
    events.finished_at
from due
cross join strava_events as events on due.delivery_id = events.delivery_id
order by due.place, due.retry_at, events.ingested_at
limit :how_many;
