update activity_files set
    name = null,
    device_key = null,
    start_at = null,
    elapsed_time_s = null,
    activity = null,
    streams = null,
    is_deleted = true,
    ingested_at = current_timestamp()
where file_id in unnest(@file_ids) and {own_ids}
