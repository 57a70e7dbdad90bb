-- The load of an activity by each method that has something to go by; the one that is chosen counts, if any is.
-- Parameters: athlete; activity.
select
    load_method,
    load,
    is_chosen,
    is_load_capped
from mart.load_alternatives
where
    athlete_id = ?
    and activity_id = ?
order by priority
