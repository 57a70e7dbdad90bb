select
    resource_state,
    count(*)
from strava_activities
where athlete_id = :athlete_id and is_deleted = 0
group by resource_state;
