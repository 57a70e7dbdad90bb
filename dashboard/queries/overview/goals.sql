-- How far the athlete's goals for the week of the marts' build are.
-- Parameter: athlete.
select
    goal_number,
    period_start_date,
    measure,
    sport_groups,
    target,
    done,
    share_done,
    expected,
    needed_per_day,
    is_reached
from mart.goal_progress
where
    athlete_id = ?
    and period_kind = 'week'
    and is_current
order by goal_number
