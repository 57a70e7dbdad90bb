-- What was reached, the newest first: of one sport group, or of all together with every record and every first activity.
-- Parameters: athlete; first and last day; sport group, or all, twice; the two units of the other system.
select
    sport_group,
    milestone_kind,
    unit,
    subject,
    milestone_value,
    reached_on,
    activity_id
from mart.milestone
where
    athlete_id = ?
    and reached_on between cast(? as date) and cast(? as date)
    and (sport_group = ? or (? = 'all' and milestone_kind in ('record', 'first_activity')))
    and unit not in (?, ?)
order by reached_on desc, milestone_kind, unit, milestone_value desc, subject
limit 100
