delete from strava_streams where athlete_id = :athlete_id;
