-- The explorer tiles that the activities of a filter visited: how often, since when, and whether a detailed line says so.
-- Parameters: athlete; zoom; first and last day; sport group or `all`, twice; whether private activities are shown.
select
    x,
    y,
    count(*) as visit_count,
    min(start_date_local) as first_day,
    max(case when is_precise then 1 else 0 end) as is_precise
from mart.tile_visit
where
    athlete_id = ?
    and z = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
    and (not is_private or cast(? as bool))
group by x, y
order by x, y
