-- How the record over each distance fell, from the first on, with what equalled it.
-- Parameters: athlete; sport group.
select
    effort_name,
    distance_m,
    record_number,
    is_tie,
    is_current,
    elapsed_time_s,
    previous_time_s,
    improvement_s,
    start_date_local,
    stood_until,
    days_stood,
    activity_id,
    activity_name
from mart.record_progression
where
    athlete_id = ?
    and sport_group = ?
order by distance_m, effort_name, record_number, is_tie, start_date_local, activity_id
