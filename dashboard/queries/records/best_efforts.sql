-- The best effort over each distance within a span of days, beside the record of all time; of equals the first.
-- Parameters: athlete; first and last day; sport group; athlete.
with efforts as (
    select
        effort_name,
        distance_m,
        elapsed_time_s,
        pace_s_per_km,
        sport_group,
        activity_id,
        activity_name,
        start_at,
        start_date_local
    from mart.record_best_effort
    where
        athlete_id = ?
        and excluded_reason is null
        and start_date_local between cast(? as date) and cast(? as date)
        and sport_group = ?
),

fastest as (
    select
        effort_name,
        min(elapsed_time_s) as elapsed_time_s
    from efforts
    group by effort_name
),

ranked as (
    select
        efforts.*,
        row_number() over (
            partition by efforts.effort_name
            order by efforts.start_date_local, efforts.start_at nulls last, efforts.activity_id
        ) as place
    from efforts
    inner join fastest
        on efforts.effort_name = fastest.effort_name and efforts.elapsed_time_s = fastest.elapsed_time_s
)

select
    ranked.effort_name,
    ranked.distance_m,
    ranked.elapsed_time_s,
    ranked.pace_s_per_km,
    ranked.sport_group,
    ranked.activity_id,
    ranked.activity_name,
    ranked.start_date_local,
    records.elapsed_time_s as record_time_s,
    records.improvement_s,
    records.days_stood,
    records.activity_id as record_activity_id
from ranked
left join mart.record_progression as records
    on
        ranked.effort_name = records.effort_name
        and ranked.sport_group = records.sport_group
        and records.athlete_id = ?
        and records.is_current
where ranked.place = 1
order by ranked.distance_m, ranked.effort_name
