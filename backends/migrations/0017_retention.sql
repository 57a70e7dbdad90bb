-- What is too old is found without a look at all that is not: activities and streams are many, settings and gear are few.
create index strava_activities_by_observed_at on strava_activities (observed_at, activity_id)
where is_deleted = 0 and source <> 'archive';
create index strava_streams_by_observed_at on strava_streams (observed_at);

-- Whose history has to be loaded again, for its payloads were removed.
create index strava_activities_expired on strava_activities (athlete_id, ingested_at)
where is_deleted = 1 and source = 'retention';

-- Settings that Strava shows again unchanged are as fresh as this; observed_at stays the date of the change.
alter table strava_athlete_settings add column last_seen_at text;

-- The deauthorisations that wait off the queue, which the sweep publishes also while no call can be made.
create index strava_events_of_athletes on strava_events (event_id) where object_type = 'athlete' and outcome = 'deferred';
