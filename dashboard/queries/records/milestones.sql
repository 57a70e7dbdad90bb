-- What was reached, the newest first: of one sport group, or of all together with every record and every first activity.
-- Parameters: athlete, twice; first and last day; sport group, or all, twice; the two units of the other system.
select
    milestones.sport_group,
    milestones.milestone_kind,
    milestones.unit,
    milestones.subject,
    milestones.milestone_value,
    milestones.reached_on,
    milestones.activity_id,
    activities.name
from mart.milestone as milestones
left join (
    select
        activity_id,
        name
    from mart.fct_activities
    where athlete_id = ?
) as activities
    on milestones.activity_id = activities.activity_id
where
    milestones.athlete_id = ?
    and milestones.reached_on between cast(? as date) and cast(? as date)
    and (milestones.sport_group = ? or (? = 'all' and milestones.milestone_kind in ('record', 'first_activity')))
    and milestones.unit not in (?, ?)
order by
    milestones.reached_on desc,
    milestones.milestone_kind,
    milestones.unit,
    milestones.milestone_value desc,
    milestones.subject
