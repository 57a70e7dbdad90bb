select activity_id
from strava_activities
where
    athlete_id = @athlete_id
    and not is_deleted
    and (@resource_state is null or resource_state = @resource_state)
    and (@since is null or start_date >= @since)
order by start_date desc nulls last, activity_id desc
