-- The current and the longest run of days with an activity.
-- Parameters: athlete; sport group or `all`.
select
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
    and period_kind = 'day'
    and period = 'all'
