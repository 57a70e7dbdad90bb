select
    settings_id,
    to_json_string(payload) as payload,
    coalesce(last_seen_at, observed_at) as seen_at,
    ingested_at
from strava_athlete_settings
where athlete_id = @athlete_id
order by ingested_at desc
limit 1
