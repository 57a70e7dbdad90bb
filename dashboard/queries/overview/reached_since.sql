-- The records and milestones of activities that came since a moment, the newest first.
-- Parameters: athlete; the moment; athlete; the two units of the other system.
with added as (
    select distinct changes.activity_id
    from mart.change_log as changes
    where
        changes.athlete_id = ?
        and changes.changed_at > cast(? as timestamp)
        and changes.change_kind in ('added', 'imported')
)

select
    milestones.sport_group,
    milestones.milestone_kind,
    milestones.unit,
    milestones.subject,
    milestones.milestone_value,
    milestones.reached_on,
    milestones.activity_id
from mart.milestone as milestones
inner join added on milestones.activity_id = added.activity_id
where
    milestones.athlete_id = ?
    and (milestones.sport_group = 'all' or milestones.milestone_kind in ('record', 'first_activity'))
    and milestones.unit not in (?, ?)
order by
    milestones.reached_on desc,
    milestones.milestone_kind,
    milestones.unit,
    milestones.milestone_value desc,
    milestones.subject
limit 20
