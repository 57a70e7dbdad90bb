-- Totals by period and sport group since a day; periods with nothing are there with zeros.
-- Parameters: athlete; week, month or year; first day shown.
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
    and period_start_date >= cast(? as date)
order by period_start_date, sport_group
