-- The newest verdict is asked for many times a second.
create index reconciliations_by_finished_at on reconciliations (finished_at);
