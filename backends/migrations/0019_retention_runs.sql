-- Rows that go as a whole, and streams that are asked for again, leave no stamp; by this one the files are rewritten without them.
create table retention_runs (
    retention text primary key,
    ingested_at text not null
) strict;
