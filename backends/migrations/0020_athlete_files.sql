-- What an athlete's own file says of settings and goals.
create table athlete_files (
    athlete_id integer primary key,
    payload text not null,
    file_hash text not null,
    ingested_at text not null
) strict;
