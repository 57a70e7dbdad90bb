select
    athlete_id,
    scope,
    status,
    updated_at
from strava_athletes
order by athlete_id;
