select
    athlete_id,
    last_successful_start_date,
    backfill_cursor,
    updated_at
from _ingestion_state
where athlete_id = :athlete_id;
