-- What the API sent was removed; what was seen by it until then stays out.
update strava_athletes set
    scope = '',
    status = 'archive_only',
    status_since = :purged_at,
    status_reason = null,
    fenced_until = :purged_at
where athlete_id = :athlete_id;
