-- The records and milestones of activities that came since a moment, the newest first; a sum that was reached, which is of
-- no activity, where it was on the day of one of them.
-- Parameters: athlete; the moment; athlete, twice; the two units of the other system.
with added as (
    select
        changes.activity_id,
        activities.start_date_local
    from mart.change_log as changes
    inner join mart.fct_activities as activities on changes.activity_id = activities.activity_id
    where
        changes.athlete_id = ?
        and changes.changed_at > cast(? as timestamp)
        and activities.athlete_id = ?
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
where
    milestones.athlete_id = ?
    and (
        milestones.activity_id in (select added.activity_id from added)
        or (
            milestones.activity_id is null
            and milestones.reached_on in (select added.start_date_local from added)
        )
    )
    and (milestones.sport_group = 'all' or milestones.milestone_kind in ('record', 'first_activity'))
    and milestones.unit not in (?, ?)
order by
    milestones.reached_on desc,
    milestones.milestone_kind,
    milestones.unit,
    milestones.milestone_value desc,
    milestones.subject
limit 20
