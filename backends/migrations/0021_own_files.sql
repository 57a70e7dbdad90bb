-- What the athlete's own files say, as Strava's export and recordings have it, and the imports that brought it.
create table archive_activities (
    activity_id integer primary key,
    athlete_id integer not null,
    import_id text not null,
    exported_at text not null,
    language text,
    start_at text,
    is_deleted integer not null,
    ingested_at text not null,
    row text,
    activity text
) strict;

create index archive_activities_by_ingested_at on archive_activities (ingested_at);
create index archive_activities_by_athlete on archive_activities (athlete_id, is_deleted, start_at);

create table activity_files (
    file_id text primary key,
    athlete_id integer not null,
    sha256 text not null,
    session integer not null,
    import_id text not null,
    name text,
    origin text not null,
    kind text not null,
    is_truncated integer not null,
    device_key text,
    activity_id integer not null,
    own_activity_id integer not null,
    previous_activity_id integer,
    matched_by text,
    twin text,
    suspect text,
    suspect_twin text,
    exported_at text,
    start_at text,
    elapsed_time_s integer,
    is_deleted integer not null,
    ingested_at text not null,
    activity text,
    streams text
) strict;

create index activity_files_by_ingested_at on activity_files (ingested_at);
create index activity_files_by_activity on activity_files (activity_id);
create index activity_files_by_athlete on activity_files (athlete_id, is_deleted, start_at);

create table imports (
    import_id text primary key,
    athlete_id integer not null,
    started_at text not null,
    updated_at text not null,
    finished_at text,
    status text not null,
    source text not null,
    fingerprint text not null,
    exported_at text,
    language text,
    row_count integer not null,
    file_count integer not null,
    media_count integer not null,
    other_count integer not null,
    reason text
) strict;

create table import_items (
    item_id text primary key,
    import_id text not null,
    athlete_id integer not null,
    kind text not null,
    name text,
    activity_id integer,
    outcome text not null,
    matched_by text,
    twin text,
    reason text,
    finished_at text not null
) strict;

create index import_items_by_import on import_items (import_id);
create index import_items_by_finished_at on import_items (finished_at);
