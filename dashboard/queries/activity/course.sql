-- The recorded curves of an activity, at most 500 points of each; none where no curve is here.
-- Parameters: athlete; activity.
select
    point_count,
    seconds,
    distances_m,
    latitudes,
    longitudes,
    altitudes_m,
    speeds_mps,
    heartrates_bpm,
    powers_w,
    cadences_per_minute,
    grades_percent
from mart.activity_course
where
    athlete_id = ?
    and activity_id = ?
