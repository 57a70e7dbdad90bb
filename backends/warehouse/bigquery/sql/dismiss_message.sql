update strava_events set message = null
where event_id = @event_id and message is not null
