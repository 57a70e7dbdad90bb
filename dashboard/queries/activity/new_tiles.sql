-- How many explorer tiles an activity visited, and in how many of them no earlier activity had been, by zoom.
-- Parameters: athlete; activity; athlete.
with here as (
    select
        z,
        x,
        y,
        start_date_local,
        activity_id
    from mart.tile_visit
    where
        athlete_id = ?
        and activity_id = ?
),

before as (
    select distinct
        here.z,
        here.x,
        here.y
    from here
    inner join mart.tile_visit as visits
        on
            here.z = visits.z
            and here.x = visits.x
            and here.y = visits.y
    where
        visits.athlete_id = ?
        and (
            visits.start_date_local < here.start_date_local
            or (visits.start_date_local = here.start_date_local and visits.activity_id < here.activity_id)
        )
)

select
    here.z,
    count(*) as tile_count,
    count(case when before.z is null then 1 end) as new_tile_count
from here
left join before on here.z = before.z and here.x = before.x and here.y = before.y
group by here.z
order by here.z
