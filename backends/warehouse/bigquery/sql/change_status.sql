-- Without an athlete it is about all. The end of a lapse leaves no moment, for nobody connected by it.
update strava_athletes set
    status = @status,
    status_since = if(status != 'app_inactive' or @status != 'connected', @status_since, null),
    status_reason = @status_reason
where (@athlete_id is null or athlete_id = @athlete_id) and status in unnest(@before)
