select activity_id
from archive_activities
where athlete_id = :athlete_id and is_deleted = 0;
