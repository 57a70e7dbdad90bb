-- As `deferred_events`, of those alone that are about an athlete: there are few, and they wait for no call.
select events.*
from strava_events as events
inner join waiting_events as waiting on events.event_id = waiting.event_id and events.delivery_id = waiting.delivery_id
where
    events.object_type = 'athlete'
    and events.outcome = 'deferred'
    and (waiting.retry_at <= coalesce(:due_by, '9999') or waiting.finished_at > :future)
order by waiting.retry_at
limit :how_many;
