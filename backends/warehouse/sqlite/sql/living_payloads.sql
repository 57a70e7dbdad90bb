-- :activity_ids is a JSON array.
select
    activity_id,
    payload
from strava_activities
where activity_id in (select value from json_each(:activity_ids)) and is_deleted = 0;
