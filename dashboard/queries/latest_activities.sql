-- The newest activities.
-- Parameter: athlete.
select
    activity_id,
    start_date_local,
    sport_type,
    name,
    distance_m,
    moving_time_s,
    pace_s_per_km,
    speed_kmh,
    strava_url
from mart.fct_activities
where athlete_id = ?
order by start_at desc nulls last, activity_id desc
limit 20
