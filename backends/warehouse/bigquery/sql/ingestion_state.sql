select
    athlete_id,
    complete_as_of,
    listing_began_at,
    backfill_cursor,
    updated_at
from _ingestion_state
where athlete_id = @athlete_id
