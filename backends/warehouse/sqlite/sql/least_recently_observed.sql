select activity_id
from strava_activities
where
    athlete_id = :athlete_id
    and is_deleted = 0
    and resource_state = 3
    and observed_at < :observed_before
order by coalesce(start_date >= :first_since, 0) desc, observed_at asc, activity_id desc
limit :how_many;
