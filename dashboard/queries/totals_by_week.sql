-- Totals by week and sport group since a day; weeks with nothing are there with zeros.
-- Parameters: athlete, first day shown.
select
    period_start_date,
    sport_group,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    activity_count
from mart.activity_summary_weekly
where
    athlete_id = ?
    and period_start_date >= cast(? as date)
order by period_start_date, sport_group
