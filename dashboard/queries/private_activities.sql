-- The private activities, whose names others than the athlete do not see.
-- Parameters: athlete.
select activity_id
from mart.fct_activities
where athlete_id = ? and is_private
