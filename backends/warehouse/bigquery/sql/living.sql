(
    select count(*) = 0
    from activity_changes
    where
        {ids}
        and activity_id not in (
            select activity_id
            from strava_activities
            where {ids} and not is_deleted
        )
)
