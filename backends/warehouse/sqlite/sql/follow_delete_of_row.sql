-- What an export says of an activity that was deleted at Strava after it goes too; the tombstone tells when.
update archive_activities set
    row = null,
    activity = null,
    language = null,
    start_at = null,
    is_deleted = 1,
    exported_at = :deleted_at,
    ingested_at = :ingested_at
where activity_id = :activity_id and is_deleted = 0 and exported_at <= :deleted_at;
