(
    select count(*) = count(distinct activity_id)
    from strava_activities
    where {ids} and activity_id in unnest(@added_ids)
)
