-- What was asked to be loaded of an athlete's past, and how far it is: the worker takes it up, commands and pages watch.
create table backfills (
    athlete_id integer primary key,
    requested_at text not null,
    since text,
    has_details integer not null,
    started_at text,
    listed_count integer not null,
    listed_at text,
    waits_until text,
    waits_because text,
    expected_at text,
    finished_at text,
    updated_at text not null
) strict;
