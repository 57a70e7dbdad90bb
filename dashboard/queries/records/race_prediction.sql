-- What the best run of the last 180 days promises over each race distance.
-- Parameters: athlete.
select
    effort_name,
    distance_m,
    predicted_time_s,
    vdot_time_s,
    best_time_s,
    exponent,
    is_own_exponent,
    exponent_effort_count,
    vdot,
    reference_effort_name,
    reference_distance_m,
    reference_time_s,
    reference_activity_id,
    reference_date
from mart.race_prediction
where athlete_id = ?
order by distance_m
