update activity_files set
    activity = json_set(
        activity, '$.timezone', :timezone, '$.utc_offset', :utc_offset_s, '$.sources.utc_offset', 'athlete'
    ),
    ingested_at = :ingested_at
where file_id = :file_id and is_deleted = 0;
