-- Which of these activities are known by the API, and when which were last seen to be deleted at Strava. What only got too old is
-- not deleted there; the tombstone of an export's row tells when its activity was.
select
    activity_id,
    logical_or(is_living) as is_living,
    max(deleted_at) as deleted_at
from (
    select
        activity_id,
        not is_deleted as is_living,
        if(is_deleted and source != 'retention', observed_at, null) as deleted_at
    from strava_activities
    where activity_id in unnest(@activity_ids) and {ids}

    union all

    select
        activity_id,
        false as is_living,
        exported_at as deleted_at
    from archive_activities
    where activity_id in unnest(@activity_ids) and {ids} and is_deleted
)
group by activity_id
