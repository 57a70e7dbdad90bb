-- Streams never outlive their activity.
delete from strava_streams
where
    {ids}
    and activity_id in unnest(@deleted_ids)
    and activity_id in (
        select activity_id
        from strava_activities
        where {ids} and is_deleted
    )
