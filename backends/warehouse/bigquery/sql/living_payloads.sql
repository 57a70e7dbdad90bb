select
    activity_id,
    to_json_string(payload) as payload
from strava_activities
where activity_id in unnest(@activity_ids) and {ids} and not is_deleted
