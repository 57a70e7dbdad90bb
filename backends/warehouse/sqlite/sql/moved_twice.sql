-- The activity that a recording was of before, where it is about to move on from the one after it.
select previous_activity_id
from activity_files
where
    file_id = :file_id
    and is_deleted = 0
    and previous_activity_id is not null
    and :activity_id not in (activity_id, previous_activity_id);
