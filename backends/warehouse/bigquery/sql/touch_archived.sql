-- What belonged to an activity of an export lets it count as changed.
merge into archive_activities as kept
using (
    select
        activity_id,
        row_number() over (order by activity_id) as place
    from archive_activities
    where activity_id in unnest(@activity_ids) and {ids}
) as given
    on kept.activity_id = given.activity_id and {kept_ids}
when matched
    then update set ingested_at = timestamp_add(current_timestamp(), interval given.place microsecond)
