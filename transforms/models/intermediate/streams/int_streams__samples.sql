{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'place'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
    )
}}

with streams as (
    select
        activity_id,
        athlete_id,
        stream_key,
        readings
    from {{ ref('stg_strava__streams') }}
    where
        stream_key in (
            {%- for key in sampled_keys() %}
            '{{ key }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
        and {{ is_changed() }}
),

final as (
    {{ recorded_samples('streams') }}
)

select * from final
