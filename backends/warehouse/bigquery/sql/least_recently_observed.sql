select activity_id
from strava_activities
where
    athlete_id = @athlete_id
    and not is_deleted
    and resource_state = 3
    and observed_at < @observed_before
order by coalesce(start_date >= @first_since, false) desc, observed_at, activity_id desc
limit @how_many
