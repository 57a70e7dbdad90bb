-- What changed since a moment, newest first: saves, edits, deletions, returns and imports.
-- Parameters: athlete; the moment.
select
    change_kind,
    changed_field,
    old_value,
    new_value,
    changed_at,
    source,
    activity_id,
    activity_name,
    sport_type,
    sport_group
from mart.change_log
where
    athlete_id = ?
    and changed_at > cast(? as timestamp)
order by changed_at desc, change_id
limit 500
