-- Without an event's time, so that the next event or list asks Strava for it: the activity is not deleted there.
merge into strava_activities as kept
using (
    select
        activity_id,
        row_number() over (order by activity_id) as place
    from strava_activities
    where
        activity_id in unnest(@activity_ids)
        and {ids}
        and not is_deleted
        and observed_at < @observed_before
) as given
    on kept.activity_id = given.activity_id and {kept_ids}
when matched
    then update set
        payload = null,
        payload_hash = null,
        resource_state = null,
        start_date = null,
        seen_alive_at = null,
        event_time = null,
        event_id = null,
        is_deleted = true,
        source = 'retention',
        ingested_at = timestamp_add(current_timestamp(), interval given.place microsecond)
