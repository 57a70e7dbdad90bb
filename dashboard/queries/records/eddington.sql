-- The Eddington number and its steps: days of at least n units, and how many are missing; where there are activities on a screen, once
-- with and once without them. A life of which no day has a whole unit has one row, without a step.
-- Parameters: athlete; sport group, or all; km or mi; all, or a year.
select
    numbers.counts_virtual,
    numbers.eddington_number,
    numbers.days_at_next,
    numbers.days_needed_next,
    numbers.longest_day,
    steps.n,
    steps.days_at_least,
    steps.days_needed,
    steps.reached_on
from mart.eddington as numbers
left join mart.eddington_step as steps
    on
        numbers.athlete_id = steps.athlete_id
        and numbers.sport_group = steps.sport_group
        and numbers.unit = steps.unit
        and numbers.period = steps.period
        and numbers.counts_virtual = steps.counts_virtual
where
    numbers.athlete_id = ?
    and numbers.sport_group = ?
    and numbers.unit = ?
    and numbers.period = ?
order by numbers.counts_virtual desc, steps.n
