-- The periods of one kind in which anything happened, newest first.
-- Parameters: athlete; week, month or year.
select distinct period_start_date
from mart.activity_mix
where
    athlete_id = ?
    and period_kind = ?
order by period_start_date desc
