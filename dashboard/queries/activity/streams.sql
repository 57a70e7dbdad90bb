-- What is known of an activity from its recorded points alone; none where no curve is here.
-- Parameters: athlete; activity.
select
    recorded_s,
    moving_s,
    heartrate_s,
    heartrate_suspect_s,
    trimp,
    average_power_w,
    normalised_power_w,
    cadence_per_min,
    grade_adjusted_speed_mps,
    first_half_s,
    second_half_s,
    split_change_pct,
    decoupling_pct
from mart.stream_summary
where
    athlete_id = ?
    and activity_id = ?
