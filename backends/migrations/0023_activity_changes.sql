-- What edits and returns changed of an activity; what was changed before this version is not known.
create table activity_changes (
    change_id text primary key,
    activity_id integer not null,
    athlete_id integer not null,
    kind text not null,
    field text,
    source text not null,
    event_id text,
    observed_at text not null,
    ingested_at text not null,
    payload text
) strict;

create index activity_changes_by_activity on activity_changes (activity_id);
create index activity_changes_by_ingested_at on activity_changes (ingested_at);
