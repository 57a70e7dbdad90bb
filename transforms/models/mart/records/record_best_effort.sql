{% set definition_version = 5 %}
{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'effort_name'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'effort_name'],
        meta={'definition_version': definition_version, 'labels': ['activity_name']},
    )
}}

with activities as (
    select * from {{ ref('fct_activities') }}
    where {{ is_changed() }}
),

sent as (
    select * from {{ ref('stg_strava__best_efforts') }}
    where {{ is_changed() }}
),

-- of what Strava tells none
found as (
    select
        found.*,
        activities.start_at
    from {{ ref('int_streams__best_efforts') }} as found
    inner join activities on found.activity_id = activities.activity_id
    where {{ is_changed('found.activity_id') }}
),

efforts as (
    select
        activity_id,
        athlete_id,
        effort_name,
        distance_m,
        elapsed_time_s,
        start_at,
        is_computed,
        false as has_jump
    from sent
    union all
    select
        found.activity_id,
        found.athlete_id,
        found.effort_name,
        found.distance_m,
        cast(round(found.elapsed_s) as int64) as elapsed_time_s,
        {{ seconds_after('found.start_at', 'found.begin_s') }} as start_at,
        true as is_computed,
        found.has_jump
    from found
    left join sent on found.activity_id = sent.activity_id
    where
        sent.activity_id is null
        and found.elapsed_s >= 0.5
),

world_records as (
    select * from {{ ref('world_records') }}
),

-- seconds from the start of the activity to that of the effort; null where either is not known
compared as (
    select
        efforts.*,
        {{ seconds_between('activities.start_at', 'efforts.start_at') }} as begin_s,
        coalesce(
            efforts.elapsed_time_s < efforts.distance_m * world_records.record_time_ms / world_records.record_distance_mm, false
        ) as is_faster_than_world_record
    from efforts
    inner join activities on efforts.activity_id = activities.activity_id
    left join world_records
        on
            efforts.effort_name = world_records.effort_name
            and activities.sport_group is distinct from 'ride'
),

-- a split begins when those before it end, if none of them is missing
followed as (
    select
        *,
        case
            when count(*) over before = split_index - 1
                then coalesce(sum(elapsed_time_s) over before, 0)
        end as begin_s
    from {{ ref('stg_strava__splits') }}
    where {{ is_changed() }}
    window
        before as (
            partition by activity_id, unit_system
            order by split_index
            rows between unbounded preceding and 1 preceding
        )
),

-- a stretch faster than anybody, or a split that is no mere rest of a few metres, faster than 100 m/s
jumps as (
    select
        activity_id,
        begin_s,
        elapsed_time_s
    from compared
    where is_faster_than_world_record
    union all
    select
        activity_id,
        begin_s,
        elapsed_time_s
    from followed
    where
        distance_m >= 200
        and distance_m > 100 * elapsed_time_s
),

-- an effort that meets a jump in time may hold it and look fair; one whose time is not known, too
jumped as (
    select distinct
        efforts.activity_id,
        efforts.effort_name
    from compared as efforts
    inner join jumps on efforts.activity_id = jumps.activity_id
    where
        coalesce(
            efforts.begin_s <= jumps.begin_s + jumps.elapsed_time_s
            and jumps.begin_s <= efforts.begin_s + efforts.elapsed_time_s,
            true
        )
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
            when activities.max_speed_mps > 100 then 'gps_jump'
            when activities.distance_m < efforts.distance_m then 'activity_shorter'
            when efforts.is_faster_than_world_record then 'faster_than_world_record'
            when efforts.has_jump then 'gps_jump'
            when jumped.activity_id is not null then 'gps_jump'
        end as excluded_reason,
        efforts.is_computed,
        activities.name as activity_name,
        activities.sport_type,
        activities.sport_group,
        efforts.start_at,
        activities.start_date_local,
        cast({{ definition_version }} as int64) as definition_version
    from compared as efforts
    inner join activities on efforts.activity_id = activities.activity_id
    left join jumped on efforts.activity_id = jumped.activity_id and efforts.effort_name = jumped.effort_name
)

select * from final
