merge into activity_files as kept
using (
    select
        links.file_id,
        links.activity_id,
        links.matched_by,
        links.twin,
        links.suspect,
        links.suspect_twin,
        links.place
    from unnest(@links) as links
) as given
    on kept.file_id = given.file_id and {kept_ids} and not kept.is_deleted
when matched
    then update set
        activity_id = given.activity_id,
        previous_activity_id = if(kept.activity_id != given.activity_id, kept.activity_id, kept.previous_activity_id),
        matched_by = given.matched_by,
        twin = given.twin,
        suspect = given.suspect,
        suspect_twin = given.suspect_twin,
        ingested_at = timestamp_add(current_timestamp(), interval given.place microsecond)
