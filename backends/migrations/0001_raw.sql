-- The raw dataset: what Strava said and what became of every event.
-- Timestamps are UTC text of one fixed width, YYYY-MM-DDTHH:MM:SS.ffffffZ, so that they sort as they pass.

create table strava_activities (
    activity_id integer primary key,
    athlete_id integer not null,
    resource_state integer,             -- 2 summary, 3 detailed; null once deleted
    start_date text,                    -- true UTC start; null once deleted
    event_time text,                    -- of the event that led here, if one did
    observed_at text not null,          -- when Strava was asked
    is_deleted integer not null default 0,
    source text not null,               -- webhook | reconcile | backfill | archive
    payload_hash text,                  -- sha-256 of the payload in canonical form
    event_id text,
    ingested_at text not null,          -- when the row last changed; strictly rising from one change to the next
    payload text                        -- exactly as Strava sent it; null once deleted; last, so that the columns
                                        -- before it are read without walking through its pages
) strict;

create index strava_activities_by_ingested_at on strava_activities (ingested_at);
create index strava_activities_by_athlete on strava_activities (athlete_id, is_deleted, start_date, resource_state);

create table strava_events (
    delivery_id text primary key,
    event_id text,
    athlete_id integer,                 -- Strava's owner_id
    object_type text,
    object_id integer,
    aspect_type text,
    updates text,                       -- JSON: what changed; texts such as the title are null, for they would outlive a deletion
    subscription_id integer,
    event_time text,
    received_at text,                   -- by the service
    outcome text not null,              -- stored | unchanged | deleted | deferred | parked | ignored | purged
    reason text not null,
    attempt integer not null,
    finished_at text not null,
    ingested_at text not null           -- strictly rising, like that of strava_activities
) strict;

create index strava_events_by_ingested_at on strava_events (ingested_at);
create index strava_events_by_object on strava_events (object_id);
create index strava_events_by_event on strava_events (event_id);

create table strava_streams (
    activity_id integer primary key,
    athlete_id integer not null,
    payload text not null,
    observed_at text not null,
    ingested_at text not null
) strict;

create table strava_gear (
    gear_id text primary key,
    athlete_id integer not null,
    payload text not null,
    observed_at text not null,
    ingested_at text not null
) strict;

create table strava_athletes (
    athlete_id integer primary key,
    scope text not null,                -- comma-separated, sorted
    status text not null,               -- connected | revoked
    updated_at text not null
) strict;

create table _ingestion_state (
    athlete_id integer primary key,
    last_successful_start_date text,
    backfill_cursor text,
    updated_at text not null
) strict;

create table reconciliations (
    reconciliation_id text primary key,
    athlete_id integer not null,
    strava_count integer not null,
    warehouse_count integer not null,
    missing integer not null,
    extra integer not null,
    changed integer not null,
    repaired integer not null,
    started_at text not null,
    finished_at text not null
) strict;

create table purges (
    purge_id text primary key,
    athlete_hash text not null,
    purged_at text not null,
    removed text not null               -- JSON: rows removed by table
) strict;

create table transform_runs (
    run_id text primary key,
    watermark text not null,
    started_at text not null,
    finished_at text not null,
    published_at text,                  -- null when the run failed
    is_full_refresh integer not null,
    error text
) strict;

create index transform_runs_by_published_at on transform_runs (published_at);
