-- How many routes of a filter a map leaves out: private ones, and virtual ones, which are nowhere.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    coalesce(sum(case when is_private and not is_virtual then 1 else 0 end), 0) as private_count,
    coalesce(sum(case when is_virtual then 1 else 0 end), 0) as virtual_count
from mart.route
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
