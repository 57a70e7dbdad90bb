-- The five longest runs of days, of weeks and of months with an activity, of equals the first.
-- Parameters: athlete; sport group or `all`; all, or a year.
select
    period_kind,
    length,
    start_date,
    end_date,
    is_current
from (
    select
        *,
        row_number() over (partition by period_kind order by length desc, start_date) as place
    from mart.streak_run
    where
        athlete_id = ?
        and sport_group = ?
        and period = ?
) as runs
where place <= 5
order by case period_kind when 'day' then 1 when 'week' then 2 else 3 end, place
