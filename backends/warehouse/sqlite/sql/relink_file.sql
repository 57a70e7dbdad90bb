update activity_files set
    activity_id = :activity_id,
    previous_activity_id = case when activity_id <> :activity_id then activity_id else previous_activity_id end,
    matched_by = :matched_by,
    twin = :twin,
    suspect = :suspect,
    suspect_twin = :suspect_twin,
    ingested_at = :ingested_at
where file_id = :file_id and is_deleted = 0;
