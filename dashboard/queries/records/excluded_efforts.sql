-- Efforts that are no records, with their reason, the newest first; how many there are of each reason, and the first hundred.
-- Parameters: athlete; first and last day; sport group.
select
    effort_name,
    distance_m,
    elapsed_time_s,
    excluded_reason,
    count(*) over (partition by excluded_reason) as reason_count,
    start_date_local,
    activity_id,
    activity_name
from mart.record_best_effort
where
    athlete_id = ?
    and excluded_reason is not null
    and coalesce(start_date_local, date '1950-01-01') between cast(? as date) and cast(? as date)
    and sport_group = ?
order by row_number() over (partition by excluded_reason order by start_date_local desc, activity_id desc, distance_m), excluded_reason
limit 100
