select fenced_until from strava_athletes
where athlete_id = :athlete_id;
