-- What could not be read has no athlete, but may name one.
delete from strava_events
where athlete_id = @athlete_id or strpos(message, cast(@athlete_id as string)) > 0
