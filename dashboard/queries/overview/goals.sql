-- How far the athlete's goals are for the week, month, year or time of the marts' build: those of the week first.
-- Parameter: athlete.
select
    goal_number,
    period_kind,
    period_start_date,
    period_end_date,
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
    and is_current
order by case period_kind when 'week' then 1 when 'month' then 2 when 'year' then 3 else 4 end, goal_number
