select
    activity_id,
    athlete_id,
    resource_state,
    observed_at,
    is_deleted,
    payload_hash,
    seen_alive_at,
    event_time,
    source
from strava_activities
where activity_id in unnest(@activity_ids) and {ids}
