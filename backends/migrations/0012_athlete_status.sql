-- Whether Strava can be asked in an athlete's name, since when, and why not. Of who connects again after a purge: up to when
-- what was seen, and is perhaps still on its way, is of the connection that was purged.
alter table strava_athletes add column status_since text;
alter table strava_athletes add column status_reason text;
alter table strava_athletes add column fenced_until text;
