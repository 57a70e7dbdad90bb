-- The newest activity of a sport group, by the clock where it began.
-- Parameters: athlete; sport group or `all`, twice; whether private activities are shown.
select activity_id
from mart.fct_activities
where
    athlete_id = ?
    and start_date_local is not null
    and (sport_group = ? or ? = 'all')
    and (not is_private or cast(? as bool))
order by start_at_local desc, start_at desc, activity_id desc
limit 1
