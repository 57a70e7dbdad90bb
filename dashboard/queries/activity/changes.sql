-- What edits changed of an activity, and when it was deleted or came back, in its order.
-- Parameters: athlete; activity.
select
    change_kind,
    changed_field,
    old_value,
    new_value,
    changed_at,
    source,
    event_id,
    import_id
from mart.change_log
where
    athlete_id = ?
    and activity_id = ?
    and change_kind != 'added'
order by changed_at, change_id
