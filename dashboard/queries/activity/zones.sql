-- How long an activity was in which zone, by kind of zones.
-- Parameters: athlete; activity.
select
    kind,
    zone,
    seconds,
    lower_bound,
    upper_bound,
    bounds_source
from mart.time_in_zone
where
    athlete_id = ?
    and activity_id = ?
order by kind, zone
