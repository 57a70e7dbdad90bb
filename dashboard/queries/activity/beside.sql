-- The activities of the same sport group that began just before and just after one, by the clock where each began.
-- Parameters: athlete; activity; athlete; whether private activities are shown.
with here as (
    select
        activity_id,
        sport_group,
        start_at_local
    from mart.fct_activities
    where
        athlete_id = ?
        and activity_id = ?
),

others as (
    select
        activities.activity_id,
        activities.name,
        activities.sport_type,
        activities.start_at_local,
        activities.start_date_local,
        activities.start_at_local > here.start_at_local
        or (activities.start_at_local = here.start_at_local and activities.activity_id > here.activity_id) as is_later
    from mart.fct_activities as activities
    inner join here on activities.sport_group = here.sport_group
    where
        activities.athlete_id = ?
        and activities.activity_id != here.activity_id
        and activities.start_at_local is not null
        and (not activities.is_private or cast(? as bool))
),

ends as (
    select
        is_later,
        case when is_later then min(start_at_local) else max(start_at_local) end as start_at_local
    from others
    group by is_later
)

select
    others.is_later,
    case when others.is_later then min(others.activity_id) else max(others.activity_id) end as activity_id
from others
inner join ends on others.is_later = ends.is_later and others.start_at_local = ends.start_at_local
group by others.is_later
order by others.is_later
