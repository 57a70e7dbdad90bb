-- The kilometres or miles of an activity, in their order.
-- Parameters: athlete; activity; metric or imperial.
select
    split_index,
    distance_m,
    elapsed_time_s,
    moving_time_s,
    elevation_difference_m,
    grade_adjusted_speed_mps,
    average_heartrate_bpm,
    source
from mart.split
where
    athlete_id = ?
    and activity_id = ?
    and unit_system = ?
order by split_index
