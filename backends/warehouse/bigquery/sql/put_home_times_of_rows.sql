merge into archive_activities as kept
using (
    select
        times.activity_id,
        times.timezone,
        times.utc_offset_s,
        times.place
    from unnest(@times) as times
) as given
    on kept.activity_id = given.activity_id and {kept_ids} and not kept.is_deleted
when matched
    then update set
        activity = json_set(
            json_set(json_set(kept.activity, '$.timezone', given.timezone), '$.utc_offset', given.utc_offset_s),
            '$.sources.utc_offset', 'athlete'
        ),
        ingested_at = timestamp_add(current_timestamp(), interval given.place microsecond)
