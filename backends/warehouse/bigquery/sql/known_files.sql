select distinct sha256
from activity_files
where sha256 in unnest(@sha256s) and not is_deleted
