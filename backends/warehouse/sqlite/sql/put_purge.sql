insert into purges (purge_id, athlete_hash, purged_at, removed)
values (:purge_id, :athlete_hash, :purged_at, :removed);
