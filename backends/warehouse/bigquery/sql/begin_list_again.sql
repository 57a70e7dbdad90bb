-- Also where it was cut short: it lacks what was saved since.
update _ingestion_state set
    listing_began_at = null,
    backfill_cursor = null
where athlete_id = @athlete_id
