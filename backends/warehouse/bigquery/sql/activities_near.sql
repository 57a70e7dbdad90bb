select activity_id
from strava_activities
where athlete_id = @athlete_id and not is_deleted and start_date between @since and @until
