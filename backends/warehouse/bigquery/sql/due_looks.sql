-- Living activities whose create arrived since a day began, and that Strava was asked about only before so long had passed since. Nothing
-- in it moves within a day, so that BigQuery's cache answers until a table changes.
select
    activities.activity_id,
    activities.athlete_id,
    min(events.event_id) as event_id,
    min(events.received_at) as received_at,
    max(events.ingested_at) as ingested_at
from strava_events as events
inner join strava_activities as activities on events.object_id = activities.activity_id
inner join strava_athletes as athletes on activities.athlete_id = athletes.athlete_id
where
    events.ingested_at >= @since
    and events.object_type = 'activity'
    and events.aspect_type = 'create'
    and events.outcome in ('stored', 'unchanged')
    and not activities.is_deleted
    and athletes.status = 'connected'
group by activities.activity_id, activities.athlete_id
having timestamp_diff(max(activities.observed_at), min(events.received_at), microsecond) < @due_after_us
order by received_at, activities.activity_id
