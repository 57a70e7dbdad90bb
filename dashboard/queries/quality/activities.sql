-- The activities that do not pass a check, newest first.
-- Parameters: athlete; check.
select
    activity_id,
    activity_name as name,
    sport_type,
    sport_group,
    start_date_local,
    measured,
    related_activity_id
from mart.data_quality_issue
where
    athlete_id = ?
    and check_name = ?
order by start_date_local desc nulls last, activity_id desc
limit 200
