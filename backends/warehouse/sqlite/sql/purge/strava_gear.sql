delete from strava_gear where athlete_id = :athlete_id;
