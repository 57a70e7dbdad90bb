-- What a message held that could not be read, so that a person can look at it; such a message counts as an event of its own.
alter table strava_events add column message text;
update strava_events set event_id = delivery_id where event_id is null;
create index strava_events_with_message on strava_events (delivery_id) where message is not null;

-- The events that wait off the queue, by their newest rows: what is due is found without a look at what has settled since.
create table waiting_events (
    event_id text primary key,
    delivery_id text not null,
    is_replay integer not null,         -- a person asked for it: live events go first
    retry_at text not null,
    finished_at text not null
) strict;
create index waiting_events_by_retry_at on waiting_events (is_replay, retry_at);
create index waiting_events_by_finished_at on waiting_events (finished_at);

insert into waiting_events (event_id, delivery_id, is_replay, retry_at, finished_at)
select
    event_id,
    delivery_id,
    0 as is_replay,
    retry_at,
    finished_at
from strava_events as deferred
where
    retry_at is not null
    and outcome = 'deferred'
    and received_at is not null
    and not exists (
        select 1
        from strava_events as later
        where later.event_id = deferred.event_id and later.ingested_at > deferred.ingested_at
    );

create trigger strava_events_added after insert on strava_events when new.event_id is not null
begin
    delete from waiting_events where event_id = new.event_id;
    insert into waiting_events (event_id, delivery_id, is_replay, retry_at, finished_at)
    select new.event_id, new.delivery_id, new.attempt = 0, new.retry_at, new.finished_at
    where new.outcome = 'deferred' and new.retry_at is not null and new.received_at is not null;
end;

create trigger strava_events_removed after delete on strava_events
begin
    delete from waiting_events where event_id = old.event_id and delivery_id = old.delivery_id;
end;

drop index strava_events_by_retry_at;

-- A dead letter goes once its event is settled, and is found by it.
create index queue_messages_dead_by_event on queue_messages (json_extract(attributes, '$.event_id')) where state = 'dead';

delete from queue_messages
where
    state = 'dead'
    and (
        select events.outcome not in ('parked', 'deferred')
        from strava_events as events
        where events.event_id = json_extract(queue_messages.attributes, '$.event_id')
        order by events.ingested_at desc
        limit 1
    );
