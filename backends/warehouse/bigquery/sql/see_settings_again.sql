-- Nothing for a reader to do, so ingested_at stays.
update strava_athlete_settings set last_seen_at = @last_seen_at
where settings_id = @settings_id
