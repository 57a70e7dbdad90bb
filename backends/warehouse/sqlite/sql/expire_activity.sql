-- Without an event's time, so that the next event or list asks Strava for it: the activity is not deleted there.
update strava_activities set
    payload = null,
    payload_hash = null,
    resource_state = null,
    start_date = null,
    seen_alive_at = null,
    event_time = null,
    event_id = null,
    is_deleted = 1,
    source = 'retention',
    ingested_at = :ingested_at
where activity_id = :activity_id;
