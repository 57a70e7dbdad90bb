-- The newest activities, by the clock where each began: the order that can be seen.
-- Parameter: athlete.
select
    activity_id,
    start_at_local,
    sport_type,
    sport_group,
    name,
    distance_m,
    moving_time_s,
    pace_s_per_km,
    speed_kmh,
    strava_url
from mart.fct_activities
where athlete_id = ?
order by start_at_local desc nulls last, start_at desc nulls last, activity_id desc
limit 20
