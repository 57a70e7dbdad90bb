-- Of these files those that have a row, tombstones too.
select
    file_id,
    own_activity_id
from activity_files
where file_id in unnest(@file_ids)
