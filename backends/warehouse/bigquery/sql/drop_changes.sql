-- What an activity once was must not outlive it, whether it is a tombstone or gone. Without parameters, as `drop_streams.sql`.
delete from activity_changes
where
    {ids}
    and activity_id not in (
        select activity_id
        from strava_activities
        where {ids} and not is_deleted
    )
