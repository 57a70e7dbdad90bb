-- The best efforts of an activity, with the rank of each among all of its sport that count, and how many those are.
-- Parameters: athlete; activity; athlete.
with here as (
    select
        effort_name,
        sport_group,
        distance_m,
        elapsed_time_s,
        pace_s_per_km,
        excluded_reason,
        is_computed
    from mart.record_best_effort
    where
        athlete_id = ?
        and activity_id = ?
)

select
    here.effort_name,
    here.sport_group,
    here.distance_m,
    here.elapsed_time_s,
    here.pace_s_per_km,
    here.excluded_reason,
    here.is_computed,
    1 + count(case when others.elapsed_time_s < here.elapsed_time_s then 1 end) as effort_rank,
    count(others.activity_id) as effort_count,
    min(others.elapsed_time_s) as best_time_s
from here
left join mart.record_best_effort as others
    on
        here.effort_name = others.effort_name
        and here.sport_group = others.sport_group
        and others.athlete_id = ?
        and others.excluded_reason is null
group by
    here.effort_name,
    here.sport_group,
    here.distance_m,
    here.elapsed_time_s,
    here.pace_s_per_km,
    here.excluded_reason,
    here.is_computed
order by here.distance_m, here.effort_name
