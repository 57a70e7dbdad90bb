delete from backfills where athlete_id = :athlete_id;
