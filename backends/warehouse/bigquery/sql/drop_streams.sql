-- Streams never outlive their activity. Without parameters, so that it can be one job with other statements.
delete from strava_streams
where
    {ids}
    and activity_id in (
        select activity_id
        from strava_activities
        where {ids} and is_deleted
    )
