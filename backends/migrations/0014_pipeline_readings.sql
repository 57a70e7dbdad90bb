-- How the rate budget and the queue stand, in one row that the worker and the daily job keep: the pages read marts alone.
create table pipeline_readings (
    reading text primary key,
    read_at text not null,
    changed_at text not null,           -- moves only with what a page must show soon, and has the marts built again
    budget text not null,               -- JSON: each limit with its use, and the calls that had to wait by lane
    lapsed_since text,
    closed_until text,
    closed_because text,
    queued_count integer not null,
    queued_since text
) strict;
