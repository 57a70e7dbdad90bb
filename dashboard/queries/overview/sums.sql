-- Sums per day, week, month or year and sport group; periods with nothing are there with zeros.
-- Parameters: athlete; `day`, `week`, `month` or `year`; first day of the first and of the last period; sport group or
-- `all`, twice.
select
    period_start_date,
    sport_group,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    activity_count
from mart.activity_summary
where
    athlete_id = ?
    and period_kind = ?
    and period_start_date between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
order by period_start_date, sport_group
