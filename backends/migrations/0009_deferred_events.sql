-- An event that must wait for longer than minutes is taken off the queue, and published again when its time has come.
alter table strava_events add column retry_at text;
create index strava_events_by_retry_at on strava_events (retry_at) where retry_at is not null;
