-- The best measured power of each duration: of all time, of the athlete's year, and of the last 90 and 42 days.
-- Parameters: athlete; sport group; year; athlete.
select
    curve.period,
    curve.duration_s,
    curve.power_w,
    curve.w_per_kg,
    curve.activity_id,
    activities.name,
    activities.start_date_local,
    activities.strava_url
from mart.power_curve as curve
inner join mart.fct_activities as activities on curve.activity_id = activities.activity_id
where
    curve.athlete_id = ?
    and curve.sport_group = ?
    and curve.period in ('all', ?, 'last_90_days', 'last_42_days')
    and activities.athlete_id = ?
order by curve.period, curve.duration_s
