-- Recordings that came with an export, or that its list names, go with their activity; any others are the athlete's own.
merge into activity_files as kept
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
        and (kept.origin = 'archive' or kept.matched_by = 'row')
        and (kept.exported_at is null or kept.exported_at <= gone.deleted_at)
when matched
    then update set
        name = null,
        device_key = null,
        start_at = null,
        elapsed_time_s = null,
        activity = null,
        streams = null,
        is_deleted = true,
        ingested_at = current_timestamp()
