-- What an activity once was must not outlive it. Without parameters, as `drop_streams.sql`.
delete from activity_changes
where
    {ids}
    and activity_id in (
        select activity_id
        from strava_activities
        where {ids} and is_deleted
    )
