-- Activities that own files alone tell of, and not those that the API told of until that got too old.
select count(*) as activities
from (
    select activity_id
    from archive_activities
    where athlete_id = @athlete_id and not is_deleted

    union distinct

    select activity_id
    from activity_files
    where athlete_id = @athlete_id and not is_deleted
) as own
where
    activity_id not in (
        select activity_id
        from strava_activities
        where athlete_id = @athlete_id and (not is_deleted or source = 'retention')
    )
