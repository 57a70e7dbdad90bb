-- The current and the longest run of days, weeks and months with an activity.
-- Parameters: athlete; sport group or `all`; all, or a year.
select
    period_kind,
    current_length,
    current_start_date,
    is_at_risk,
    longest_length,
    longest_start_date,
    longest_end_date
from mart.streak
where
    athlete_id = ?
    and sport_group = ?
    and period = ?
order by case period_kind when 'day' then 1 when 'week' then 2 else 3 end
