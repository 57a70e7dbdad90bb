{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'effort_name'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['athlete_id', 'effort_name'],
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
        {{ effort_name('effort.name') }} as effort_name,
        {{ as_float('effort.distance') }} as distance_m,
        {{ as_int('effort.elapsed_time') }} as elapsed_time_s,
        {{ as_timestamp('effort.start_date') }} as start_at,
        activities.has_own_best_efforts as is_computed
    from activities
    {{ each('activities.best_efforts', 'effort') }}
),

-- two spellings of one distance may stand in one payload
ranked as (
    select
        *,
        row_number() over (
            partition by activity_id, effort_name order by elapsed_time_s, start_at nulls last, distance_m
        ) as place
    from sent
    where
        effort_name is not null
        and elapsed_time_s > 0
        and distance_m > 0
),

final as (
    select
        activity_id,
        athlete_id,
        effort_name,
        distance_m,
        elapsed_time_s,
        start_at,
        is_computed
    from ranked
    where place = 1
)

select * from final
