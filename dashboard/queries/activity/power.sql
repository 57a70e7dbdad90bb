-- The best power of an activity for each duration, and that of its sport: of all time, of a year and the last 90 days.
-- Parameters: athlete; activity; athlete; sport group; year.
select
    'activity' as period,
    curve.duration_s,
    curve.power_w,
    curve.power_w / nullif(curve.weight_kg, 0) as w_per_kg,
    curve.activity_id,
    curve.start_date_local
from mart.power_curve_activity as curve
where
    curve.athlete_id = ?
    and curve.activity_id = ?
union all
select
    best.period,
    best.duration_s,
    best.power_w,
    best.w_per_kg,
    best.activity_id,
    best.start_date_local
from mart.power_curve as best
where
    best.athlete_id = ?
    and best.sport_group = ?
    and best.period in ('all', ?, 'last_90_days')
order by period, duration_s
