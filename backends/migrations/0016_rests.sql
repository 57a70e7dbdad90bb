-- How many activities a backfill could not fetch, and when they are tried again.
alter table backfills add column failed_count integer not null default 0;
alter table backfills add column retry_at text;

-- Gear that Strava does not show is remembered, also where it never did: then there is no payload.
create table gear (
    gear_id text primary key,
    athlete_id integer not null,
    payload text,
    observed_at text not null,
    ingested_at text not null,
    not_found_at text
) strict;

insert into gear (gear_id, athlete_id, payload, observed_at, ingested_at)
select
    gear_id,
    athlete_id,
    payload,
    observed_at,
    ingested_at
from strava_gear;

drop table strava_gear;
alter table gear rename to strava_gear;
create index strava_gear_by_ingested_at on strava_gear (ingested_at);

-- The newest verdict is asked for many times a second.
create index reconciliations_by_finished_at on reconciliations (finished_at);
