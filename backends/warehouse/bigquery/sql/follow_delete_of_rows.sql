-- What an export says of activities that were deleted at Strava after it goes too; the tombstone tells when.
merge into archive_activities as kept
using (
    select
        activity_id,
        max(observed_at) as deleted_at
    from strava_activities
    where {ids} and is_deleted and source != 'retention'
    group by activity_id
) as gone
    on
        kept.activity_id = gone.activity_id
        and {kept_ids}
        and not kept.is_deleted
        and kept.exported_at <= gone.deleted_at
when matched
    then update set
        `row` = null,
        activity = null,
        language = null,
        start_at = null,
        is_deleted = true,
        exported_at = gone.deleted_at,
        ingested_at = current_timestamp()
