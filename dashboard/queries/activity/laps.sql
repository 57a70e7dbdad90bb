-- The laps of an activity, in their order.
-- Parameters: athlete; activity.
select
    lap_index,
    name,
    distance_m,
    moving_time_s,
    elapsed_time_s,
    elevation_gain_m,
    average_heartrate_bpm,
    average_power_w
from mart.lap
where
    athlete_id = ?
    and activity_id = ?
order by lap_index
