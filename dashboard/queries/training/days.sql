-- Fitness, fatigue, form and the load around each day; days to come are without load.
-- Parameters: athlete; sport group or `all`; first and last day.
select
    date_day,
    is_forecast,
    load,
    fitness,
    fatigue,
    form,
    form_after,
    linear_fitness,
    linear_fatigue,
    linear_form,
    linear_form_after,
    is_warming_up,
    ramp,
    load_7_days,
    monotony,
    strain,
    load_3_weeks_before,
    load_ratio
from mart.training_load_daily
where
    athlete_id = ?
    and sport_group = ?
    and date_day between cast(? as date) and cast(? as date)
order by date_day
