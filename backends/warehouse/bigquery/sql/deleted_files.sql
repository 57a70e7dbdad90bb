-- Recordings that came with an export, or that its list names, go with their activity; any others are the athlete's own.
select
    files.file_id,
    files.own_activity_id
from activity_files as files
inner join (
    select
        activity_id,
        max(observed_at) as deleted_at
    from strava_activities
    where activity_id in unnest(@activity_ids) and {ids} and is_deleted and source != 'retention'
    group by activity_id
) as gone
    on files.activity_id = gone.activity_id
where
    not files.is_deleted
    and (files.origin = 'archive' or files.matched_by = 'row')
    and (files.exported_at is null or files.exported_at <= gone.deleted_at)
