{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'effort_id'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['athlete_id', 'segment_id'],
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
        {{ as_id('effort.id') }} as effort_id,
        {{ as_id('effort.segment.id') }} as segment_id,
        {{ as_text('effort.name') }} as segment_name,
        {{ as_timestamp('effort.start_date') }} as start_at,
        {{ as_float('effort.distance') }} as distance_m,
        {{ as_int('effort.moving_time') }} as moving_time_s,
        {{ as_int('effort.elapsed_time') }} as elapsed_time_s,
        {{ as_float('effort.average_heartrate') }} as average_heartrate_bpm,
        {{ as_float('effort.max_heartrate') }} as max_heartrate_bpm,
        {{ as_float('effort.average_cadence') }} as average_cadence_rpm,
        {{ as_float('effort.average_watts') }} as average_power_w,
        case
            when {{ as_float('effort.average_watts') }} is not null then {{ as_bool('effort.device_watts') }}
        end as is_power_measured,
        {{ as_int('effort.start_index') }} as start_index,
        {{ as_int('effort.end_index') }} as end_index,
        {{ as_int('effort.kom_rank') }} as kom_rank,
        {{ as_int('effort.pr_rank') }} as pr_rank,
        coalesce({{ as_bool('effort.hidden') }}, false) as is_hidden,
        {{ as_float('effort.segment.distance') }} as segment_distance_m,
        {{ as_float('effort.segment.average_grade') }} as segment_average_grade_pct,
        {{ as_int('effort.segment.climb_category') }} as climb_category
    from activities
    {{ each('activities.segment_efforts', 'effort') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by activity_id, effort_id order by elapsed_time_s, start_at nulls last, segment_id
        ) as place
    from sent
    where
        effort_id is not null
        and segment_id is not null
        and elapsed_time_s > 0
),

final as (
    select
        activity_id,
        athlete_id,
        effort_id,
        segment_id,
        segment_name,
        start_at,
        distance_m,
        moving_time_s,
        elapsed_time_s,
        average_heartrate_bpm,
        max_heartrate_bpm,
        average_cadence_rpm,
        average_power_w,
        is_power_measured,
        start_index,
        end_index,
        kom_rank,
        pr_rank,
        is_hidden,
        segment_distance_m,
        segment_average_grade_pct,
        climb_category
    from ranked
    where place = 1
)

select * from final
