update archive_activities set
    activity = json_set(
        activity, '$.timezone', :timezone, '$.utc_offset', :utc_offset_s, '$.sources.utc_offset', 'athlete'
    ),
    ingested_at = :ingested_at
where activity_id = :activity_id and is_deleted = 0;
