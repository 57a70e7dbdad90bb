-- Of a JSON array of hashes those of which a recording is stored; the key begins with the hash.
select hashes.value
from json_each(:sha256s) as hashes
where
    exists (
        select 1
        from activity_files
        where
            file_id >= hashes.value || '/'
            and file_id < hashes.value || '0'
            and is_deleted = 0
    );
