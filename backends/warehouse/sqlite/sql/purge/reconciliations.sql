delete from reconciliations where athlete_id = :athlete_id;
