{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'lap_index'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
        tags=['measures_only'],
    )
}}

with activities as (
    select * from {{ ref('base_strava__activities') }}
    where
        not is_deleted
        and {{ is_changed() }}
),

sent as (
    select
        activities.activity_id,
        activities.athlete_id,
        {{ as_int('lap.lap_index') }} as lap_index,
        {{ as_id('lap.id') }} as lap_id,
        {{ as_text('lap.name') }} as name,
        {{ as_timestamp('lap.start_date') }} as start_at,
        {{ as_float('lap.distance') }} as distance_m,
        {{ as_int('lap.moving_time') }} as moving_time_s,
        {{ as_int('lap.elapsed_time') }} as elapsed_time_s,
        {{ as_float('lap.total_elevation_gain') }} as elevation_gain_m,
        {{ as_float('lap.average_speed') }} as average_speed_mps,
        {{ as_float('lap.max_speed') }} as max_speed_mps,
        {{ as_float('lap.average_heartrate') }} as average_heartrate_bpm,
        {{ as_float('lap.max_heartrate') }} as max_heartrate_bpm,
        {{ as_float('lap.average_cadence') }} as average_cadence_rpm,
        {{ as_float('lap.average_watts') }} as average_power_w,
        case when {{ as_float('lap.average_watts') }} is not null then {{ as_bool('lap.device_watts') }} end as is_power_measured,
        {{ as_int('lap.start_index') }} as start_index,
        {{ as_int('lap.end_index') }} as end_index,
        case when activities.has_own_laps then 'file' else 'api' end as source
    from activities
    {{ each('activities.laps', 'lap') }}
),

-- of two laps with one number the earlier stays
ranked as (
    select
        *,
        row_number() over (
            partition by activity_id, lap_index order by start_at nulls last, lap_id nulls last, elapsed_time_s
        ) as place
    from sent
    where
        lap_index is not null
        and elapsed_time_s is not null
),

final as (
    select
        activity_id,
        athlete_id,
        lap_index,
        lap_id,
        name,
        start_at,
        distance_m,
        moving_time_s,
        elapsed_time_s,
        elevation_gain_m,
        average_speed_mps,
        max_speed_mps,
        average_heartrate_bpm,
        max_heartrate_bpm,
        average_cadence_rpm,
        average_power_w,
        is_power_measured,
        start_index,
        end_index,
        source
    from ranked
    where place = 1
)

select * from final
