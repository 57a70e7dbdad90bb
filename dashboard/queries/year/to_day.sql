-- What a year had come to by a day of it, to compare it with a year that is not over.
-- Parameters: athlete; first and last day; sport group or `all`.
select
    coalesce(sum(activity_count), 0) as activity_count,
    coalesce(sum(cast(distance_m as decimal(35, 6))), 0) as distance_m,
    coalesce(sum(moving_time_s), 0) as moving_time_s,
    coalesce(sum(case when activity_count > 0 then 1 else 0 end), 0) as active_day_count
from mart.calendar_heat
where
    athlete_id = ?
    and date_day between cast(? as date) and cast(? as date)
    and sport_group = ?
