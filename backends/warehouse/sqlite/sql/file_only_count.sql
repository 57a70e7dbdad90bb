-- Activities that own files alone tell of, and not those that the API told of until that got too old.
select count(*) as activities
from (
    select activity_id
    from archive_activities
    where athlete_id = :athlete_id and is_deleted = 0

    union

    select activity_id
    from activity_files
    where athlete_id = :athlete_id and is_deleted = 0
) as own
where
    not exists (
        select 1
        from strava_activities as told
        where told.activity_id = own.activity_id and (told.is_deleted = 0 or told.source = 'retention')
    );
