-- What is stored of these activities, a JSON array, from exports.
select
    activity_id,
    import_id,
    exported_at,
    row,
    activity
from archive_activities
where is_deleted = 0 and activity_id in (select value from json_each(:activity_ids));
