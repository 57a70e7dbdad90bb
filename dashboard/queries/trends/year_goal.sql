-- The goal of a year for one measure and exactly these sports; where there are several, the first of the athlete's file.
-- Parameters: athlete; name of the measure; sport group or `all`; 1 January.
select
    goal_number,
    target,
    done,
    expected
from mart.goal_progress
where
    athlete_id = ?
    and period_kind = 'year'
    and measure = ?
    and sport_groups = ?
    and period_start_date = cast(? as date)
order by goal_number
limit 1
