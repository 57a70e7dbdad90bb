select
    athlete_id,
    scope,
    status,
    updated_at,
    status_since,
    status_reason
from strava_athletes
order by athlete_id;
