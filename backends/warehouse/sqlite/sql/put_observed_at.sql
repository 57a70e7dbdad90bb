-- Seen again, and the same: nothing for a reader to do, so ingested_at stays.
update strava_activities
set
    observed_at = :observed_at,
    seen_alive_at = :seen_alive_at
where activity_id = :activity_id;
