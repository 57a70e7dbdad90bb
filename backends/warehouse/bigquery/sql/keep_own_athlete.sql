-- What the API sent was removed; what was imported stays.
update strava_athletes set
    scope = '',
    status = 'archive_only',
    status_since = @status_since,
    status_reason = null
where athlete_id = @athlete_id
