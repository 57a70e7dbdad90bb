-- What is stored of these activities from exports.
select
    activity_id,
    import_id,
    exported_at,
    to_json_string(`row`) as `row`,
    to_json_string(activity) as activity
from archive_activities
where activity_id in unnest(@activity_ids) and {ids} and not is_deleted
