select activity_id
from archive_activities
where athlete_id = @athlete_id and not is_deleted
