{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'unit_system', 'split_index'],
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
    {%- for unit_system, sent_as in [('metric', 'splits_metric'), ('imperial', 'splits_standard')] %}
    select
        activities.activity_id,
        activities.athlete_id,
        '{{ unit_system }}' as unit_system,
        {{ as_int('split.split') }} as split_index,
        {{ as_float('split.distance') }} as distance_m,
        {{ as_int('split.moving_time') }} as moving_time_s,
        {{ as_int('split.elapsed_time') }} as elapsed_time_s,
        {{ as_float('split.elevation_difference') }} as elevation_difference_m,
        {{ as_float('split.average_speed') }} as average_speed_mps,
        {{ as_float('split.average_grade_adjusted_speed') }} as grade_adjusted_speed_mps,
        {{ as_float('split.average_heartrate') }} as average_heartrate_bpm,
        {{ as_int('split.pace_zone') }} as pace_zone,
        activities.has_own_{{ sent_as }} as is_computed
    from activities
    {{ each('activities.' ~ sent_as, 'split') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ranked as (
    select
        *,
        row_number() over (
            partition by activity_id, unit_system, split_index order by elapsed_time_s, moving_time_s nulls last, distance_m
        ) as place
    from sent
    where
        split_index is not null
        and elapsed_time_s is not null
        and distance_m is not null
),

final as (
    select
        activity_id,
        athlete_id,
        unit_system,
        split_index,
        distance_m,
        moving_time_s,
        elapsed_time_s,
        elevation_difference_m,
        average_speed_mps,
        grade_adjusted_speed_mps,
        average_heartrate_bpm,
        pace_zone,
        is_computed
    from ranked
    where place = 1
)

select * from final
