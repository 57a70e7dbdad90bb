-- What share each sport had of one period.
-- Parameters: athlete; week, month or year; first day of the period.
select
    sport_type,
    sport_group,
    activity_count,
    distance_m,
    moving_time_s,
    share_of_count,
    share_of_distance,
    share_of_time
from mart.activity_mix
where
    athlete_id = ?
    and period_kind = ?
    and period_start_date = cast(? as date)
order by sport_type
