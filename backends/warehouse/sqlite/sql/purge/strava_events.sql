delete from strava_events where athlete_id = :athlete_id;
