-- Of these files those that have a row, tombstones too.
select
    file_id,
    own_activity_id,
    activity_id,
    previous_activity_id,
    is_deleted
from activity_files
where file_id in unnest(@file_ids)
