{% set definition_version = 3 %}
{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'effort_name'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'effort_name'],
        meta={'definition_version': definition_version},
    )
}}

with efforts as (
    select * from {{ ref('stg_strava__best_efforts') }}
    where {{ is_changed() }}
),

activities as (
    select * from {{ ref('fct_activities') }}
    where {{ is_changed() }}
),

world_records as (
    select * from {{ ref('world_records') }}
),

-- a split that is no mere rest of a few metres, faster than 100 m/s
jumps as (
    select distinct activity_id
    from {{ ref('stg_strava__splits') }}
    where
        {{ is_changed() }}
        and distance_m >= 200
        and distance_m > 100 * elapsed_time_s
),

compared as (
    select
        efforts.*,
        coalesce(
            efforts.elapsed_time_s < efforts.distance_m * world_records.record_time_ms / world_records.record_distance_mm, false
        ) as is_faster_than_world_record
    from efforts
    left join world_records on efforts.effort_name = world_records.effort_name
),

-- where one stretch is faster than anybody, a longer one may hold the same jump and look fair
judged as (
    select
        *,
        max(case when is_faster_than_world_record then 1 else 0 end) over (partition by activity_id) = 1 as has_impossible_effort
    from compared
),

final as (
    select
        efforts.athlete_id,
        efforts.activity_id,
        efforts.effort_name,
        efforts.distance_m,
        efforts.elapsed_time_s,
        efforts.elapsed_time_s / efforts.distance_m * 1000 as pace_s_per_km,
        case
            when activities.is_assisted then 'assisted'
            when activities.is_manual then 'manual'
            when activities.is_trainer then 'indoors'
            when activities.is_virtual then 'virtual'
            when activities.start_date_local is null then 'undated'
            when activities.is_speed_inconsistent then 'speed_inconsistent'
            when activities.is_moving_time_implausible then 'duration_implausible'
            when activities.max_speed_mps > 100 or jumps.activity_id is not null then 'gps_jump'
            when activities.distance_m < efforts.distance_m then 'activity_shorter'
            when efforts.is_faster_than_world_record then 'faster_than_world_record'
            when efforts.has_impossible_effort then 'gps_jump'
        end as excluded_reason,
        activities.name as activity_name,
        activities.sport_type,
        activities.sport_group,
        efforts.start_at,
        activities.start_date_local,
        cast({{ definition_version }} as int64) as definition_version
    from judged as efforts
    inner join activities on efforts.activity_id = activities.activity_id
    left join jumps on efforts.activity_id = jumps.activity_id
)

select * from final
