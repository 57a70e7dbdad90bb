-- The training load of each day since the first activity, all sports together: what form is made of.
-- Parameter: athlete.
select
    date_day,
    load
from mart.calendar_heat
where
    athlete_id = ?
    and sport_group = 'all'
order by date_day
