-- Sums per ISO week and sport group; weeks with nothing are there with zeros.
-- Parameters: athlete; Monday of the first and of the last week; sport group or `all`, twice.
select
    period_start_date as week_start_date,
    sport_group,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    activity_count
from mart.activity_summary
where
    athlete_id = ?
    and period_kind = 'week'
    and period_start_date between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
order by week_start_date, sport_group
