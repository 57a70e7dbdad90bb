-- Sums per local day and sport group; days with nothing are there with zeros.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    period_start_date as day,
    sport_group,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    activity_count
from mart.activity_summary
where
    athlete_id = ?
    and period_kind = 'day'
    and period_start_date between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
order by day, sport_group
