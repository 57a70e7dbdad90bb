-- Sums of each kind of sport in two years.
-- Parameters: athlete; first day of the one and of the other year; sport group or `all`, twice.
select
    period_start_date,
    sport_type,
    sport_group,
    activity_count,
    distance_m,
    moving_time_s
from mart.activity_mix
where
    athlete_id = ?
    and period_kind = 'year'
    and period_start_date in (cast(? as date), cast(? as date))
    and (sport_group = ? or ? = 'all')
order by period_start_date, moving_time_s desc, sport_type
