-- Recordings that came with an export, or that its list names, go with their activity; any others are the athlete's own.
update activity_files set
    name = null,
    device_key = null,
    start_at = null,
    elapsed_time_s = null,
    activity = null,
    streams = null,
    is_deleted = 1,
    ingested_at = :ingested_at
where
    activity_id = :activity_id
    and is_deleted = 0
    and (origin = 'archive' or matched_by = 'row')
    and coalesce(exported_at, '') <= :deleted_at;
