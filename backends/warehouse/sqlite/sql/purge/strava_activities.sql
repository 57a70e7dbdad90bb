delete from strava_activities where athlete_id = :athlete_id;
