update strava_athletes set fenced_until = @fenced_until
where athlete_id = @athlete_id
