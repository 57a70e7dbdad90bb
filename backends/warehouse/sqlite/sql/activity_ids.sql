select activity_id
from strava_activities
where
    athlete_id = :athlete_id
    and is_deleted = 0
    and (:resource_state is null or resource_state = :resource_state)
    and (:since is null or start_date >= :since)
order by start_date desc, activity_id desc;
