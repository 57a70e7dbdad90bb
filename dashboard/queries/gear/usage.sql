-- Each piece of gear, what is in use first, then by what was used last.
-- Parameter: athlete.
select
    gear_id,
    gear_name,
    gear_kind,
    is_retired,
    activity_count,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    first_used_on,
    last_used_on,
    strava_distance_m,
    strava_observed_at,
    difference_m,
    cost,
    cost_per_km,
    cost_per_hour,
    service_count,
    due_service_count
from mart.gear_usage
where athlete_id = ?
order by is_retired, last_used_on desc nulls last, gear_name, gear_id
