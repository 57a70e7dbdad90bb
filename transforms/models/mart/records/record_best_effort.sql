{{ config(cluster_by=['athlete_id', 'effort_name']) }}

with efforts as (
    select * from {{ ref('stg_strava__best_efforts') }}
),

activities as (
    select * from {{ ref('fct_activities') }}
),

ranked as (
    select
        athlete_id,
        effort_name,
        distance_m,
        elapsed_time_s,
        activity_id,
        start_at,
        row_number() over (
            partition by athlete_id, effort_name order by elapsed_time_s, start_at nulls last, activity_id
        ) as effort_rank
    from efforts
),

final as (
    select
        ranked.athlete_id,
        ranked.effort_name,
        ranked.effort_rank,
        ranked.distance_m,
        ranked.elapsed_time_s,
        ranked.elapsed_time_s / ranked.distance_m * 1000 as pace_s_per_km,
        ranked.activity_id,
        activities.name as activity_name,
        activities.sport_type,
        ranked.start_at,
        activities.start_date_local
    from ranked
    inner join activities on ranked.activity_id = activities.activity_id
    where ranked.effort_rank <= 10
)

select * from final
