-- When an activity was last seen alive, be it only as a line in a list, so that an older delete that comes late is told
-- from a newer one. The table is made anew, for the payload must stay last.

create table strava_activities_anew (
    activity_id integer primary key,
    athlete_id integer not null,
    resource_state integer,             -- 2 summary, 3 detailed; null once deleted
    start_date text,                    -- true UTC start; null once deleted
    event_time text,                    -- of the event that led here, if one did
    observed_at text not null,          -- when Strava was asked for what stands here
    seen_alive_at text,                 -- when Strava last showed the activity, in a list or in detail; null once deleted
    is_deleted integer not null default 0,
    source text not null,               -- webhook | reconcile | backfill | archive
    payload_hash text,                  -- sha-256 of the payload in canonical form
    event_id text,
    ingested_at text not null,          -- when the row last changed; strictly rising from one change to the next
    payload text                        -- exactly as Strava sent it; null once deleted; last, so that the columns
                                        -- before it are read without walking through its pages
) strict;

insert into strava_activities_anew (
    activity_id, athlete_id, resource_state, start_date, event_time, observed_at, seen_alive_at, is_deleted, source,
    payload_hash, event_id, ingested_at, payload
)
select
    activity_id,
    athlete_id,
    resource_state,
    start_date,
    event_time,
    observed_at,
    case when is_deleted = 0 then observed_at end as seen_alive_at,
    is_deleted,
    source,
    payload_hash,
    event_id,
    ingested_at,
    payload
from strava_activities;

drop table strava_activities;

alter table strava_activities_anew rename to strava_activities;

create index strava_activities_by_ingested_at on strava_activities (ingested_at);
create index strava_activities_by_athlete on strava_activities (athlete_id, is_deleted, start_date, resource_state);
