-- The newest routes of a filter with their paths, of at most 60 points, and how many routes there are in all.
-- Parameters: athlete; first and last day; sport group or `all`, twice; whether private activities are shown.
select
    routes.activity_id,
    routes.sport_group,
    routes.start_date_local,
    routes.path_latitudes,
    routes.path_longitudes,
    activities.name,
    activities.distance_m,
    count(*) over () as route_count
from mart.route as routes
inner join mart.fct_activities as activities
    on
        routes.athlete_id = activities.athlete_id
        and routes.activity_id = activities.activity_id
where
    routes.athlete_id = ?
    and routes.start_date_local between cast(? as date) and cast(? as date)
    and (routes.sport_group = ? or ? = 'all')
    and not routes.is_virtual
    and (not routes.is_private or cast(? as bool))
order by routes.start_date_local desc, routes.activity_id desc
limit 5000
