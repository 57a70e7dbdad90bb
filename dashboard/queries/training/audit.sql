-- The newest activities with every load that a method gives them; the one chosen is the activity's load.
-- Parameters: athlete; first and last day; sport group or `all`, twice; athlete.
with newest as (
    select
        activity_id,
        name,
        sport_type,
        sport_group,
        start_at_local,
        start_date_local,
        moving_time_s,
        average_heartrate_bpm,
        weighted_power_w,
        average_power_w
    from mart.fct_activities
    where
        athlete_id = ?
        and start_date_local between cast(? as date) and cast(? as date)
        and (sport_group = ? or ? = 'all')
    order by start_at_local desc, activity_id desc
    limit 50
)

select
    newest.*,
    alternatives.load_method,
    alternatives.priority,
    alternatives.is_chosen,
    alternatives.load,
    alternatives.load_uncapped,
    alternatives.is_load_capped,
    alternatives.load_normalised_power_w,
    alternatives.load_trimp,
    alternatives.load_ftp_w,
    alternatives.load_resting_heartrate_bpm,
    alternatives.load_max_heartrate_bpm,
    alternatives.load_threshold_heartrate_bpm,
    alternatives.load_threshold_speed_mps,
    alternatives.load_suffer_score_factor
from newest
inner join mart.load_alternatives as alternatives on newest.activity_id = alternatives.activity_id
where alternatives.athlete_id = ?
order by newest.start_at_local desc, newest.activity_id desc, alternatives.priority
