-- The records that fell last: the newest of the days asked for first.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    effort_name,
    elapsed_time_s,
    improvement_s,
    previous_time_s,
    is_current,
    activity_name as name,
    sport_group,
    start_date_local,
    activity_id
from mart.record_progression
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
    and not is_tie
    and record_number > 1
order by start_date_local desc, distance_m desc
limit 5
