-- The newest activities, by the clock where each began: the order that can be seen.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    activity_id,
    start_at_local,
    start_date_local,
    sport_type,
    sport_group,
    name,
    distance_m,
    moving_time_s,
    pace_s_per_km,
    speed_kmh,
    average_heartrate_bpm,
    load,
    load_method,
    is_load_capped,
    load_normalised_power_w,
    load_trimp,
    load_ftp_w,
    load_resting_heartrate_bpm,
    load_max_heartrate_bpm,
    load_threshold_heartrate_bpm,
    load_threshold_speed_mps,
    load_suffer_score_factor
from mart.fct_activities
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
order by start_at_local desc, start_at desc, activity_id desc
limit 20
