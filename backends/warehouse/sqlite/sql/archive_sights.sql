-- Which of these activities, a JSON array, are known by the API, and when which were last seen to be deleted at Strava. What
-- only got too old is not deleted there; the tombstone of an export's row tells when its activity was.
select
    activity_id,
    max(is_living) as is_living,
    max(deleted_at) as deleted_at
from (
    select
        activity_id,
        is_deleted = 0 as is_living,
        case when is_deleted = 1 and source <> 'retention' then observed_at end as deleted_at
    from strava_activities
    where activity_id in (select value from json_each(:activity_ids))

    union all

    select
        activity_id,
        0 as is_living,
        exported_at as deleted_at
    from archive_activities
    where is_deleted = 1 and activity_id in (select value from json_each(:activity_ids))
)
group by activity_id;
