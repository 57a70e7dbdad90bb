{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'kind', 'mark_index'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_streams() }}",
        incremental_predicates=merged_where("is_changed_in_streams('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with inputs as (
    select * from {{ ref('int_streams__inputs') }}
    where {{ is_changed_in_streams() }}
),

points as (
    select
        samples.activity_id,
        inputs.sport_group in ('run', 'walk') as is_on_foot,
        samples.place,
        samples.second,
        samples.distance_m,
        round(samples.altitude_m * 1000) as altitude_mm,
        samples.heartrate_bpm,
        samples.hold_s,
        samples.is_moving
    from {{ ref('int_streams__samples') }} as samples
    inner join inputs on samples.activity_id = inputs.activity_id
    where
        samples.distance_m between 0 and 10000000
        and {{ is_changed_in_streams('samples.activity_id') }}
),

final as (
    {{ course_marks('points') }}
)

select * from final
