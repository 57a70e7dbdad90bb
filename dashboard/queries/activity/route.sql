-- The path of an activity for drawing, of at most 60 points.
-- Parameters: athlete; activity.
select
    activity_id,
    path_latitudes,
    path_longitudes,
    is_virtual
from mart.route
where
    athlete_id = ?
    and activity_id = ?
