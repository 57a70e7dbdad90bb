delete from strava_athlete_settings where athlete_id = :athlete_id;
