-- The last day that the marts tell of: the athlete's today when they were built.
-- Parameter: athlete.
select max(date_day) as date_day
from mart.calendar_heat
where
    athlete_id = ?
    and sport_group = 'all'
