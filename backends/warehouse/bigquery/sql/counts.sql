select
    resource_state,
    count(*) as activities
from strava_activities
where athlete_id = @athlete_id and not is_deleted
group by resource_state
