-- What the best run of the last 180 days promises over each race distance.
-- Parameters: athlete.
select
    predicted.effort_name,
    predicted.distance_m,
    predicted.predicted_time_s,
    predicted.vdot_time_s,
    predicted.best_time_s,
    predicted.exponent,
    predicted.is_own_exponent,
    predicted.exponent_effort_count,
    predicted.vdot,
    predicted.reference_effort_name,
    predicted.reference_distance_m,
    predicted.reference_time_s,
    predicted.reference_activity_id,
    predicted.reference_date,
    best.activity_name as reference_name
from mart.race_prediction as predicted
left join mart.record_best_effort as best
    on
        predicted.athlete_id = best.athlete_id
        and predicted.reference_activity_id = best.activity_id
        and predicted.reference_effort_name = best.effort_name
where predicted.athlete_id = ?
order by predicted.distance_m
