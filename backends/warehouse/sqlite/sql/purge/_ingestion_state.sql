delete from _ingestion_state where athlete_id = :athlete_id;
