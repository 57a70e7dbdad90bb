-- What the last-write-wins rule needs to know of the rows that a batch touches. :activity_ids is a JSON array.
select
    activity_id,
    athlete_id,
    resource_state,
    observed_at,
    seen_alive_at,
    is_deleted,
    payload_hash,
    event_time,
    source
from strava_activities
where activity_id in (select value from json_each(:activity_ids));
