select
    payload,
    observed_at
from strava_athlete_settings
where athlete_id = :athlete_id
order by ingested_at desc
limit 1;
