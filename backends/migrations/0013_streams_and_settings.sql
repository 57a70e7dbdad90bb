-- Which version of the activity the streams belong to, and that Strava has none. Nothing has written to the table before.
-- The payload comes last, so that the columns before it are read without walking through its pages.
drop table strava_streams;

create table strava_streams (
    activity_id integer primary key,
    athlete_id integer not null,
    fetched_for text not null,
    activity_hash text not null,
    observed_at text not null,
    ingested_at text not null,
    payload text
) strict;

create index strava_streams_by_ingested_at on strava_streams (ingested_at);
create index strava_streams_by_activity on strava_streams (activity_id, activity_hash, fetched_for);

-- An athlete's zones, FTP and weight, a row for each change that was seen.
create table strava_athlete_settings (
    settings_id text primary key,
    athlete_id integer not null,
    payload text not null,
    observed_at text not null,
    ingested_at text not null
) strict;

create index strava_athlete_settings_by_athlete on strava_athlete_settings (athlete_id, observed_at);
create index strava_athlete_settings_by_ingested_at on strava_athlete_settings (ingested_at);
create index strava_gear_by_ingested_at on strava_gear (ingested_at);

alter table backfills add column has_streams integer not null default 0;
