{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'z', 'x', 'y'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'activity_id'],
        tags=['measures_only'],
    )
}}

with lines as (
    select * from {{ ref('base_strava__activities') }}
    where
        not is_deleted
        and polyline is not null
        and {{ is_changed() }}
),

final as (
    select
        activity_id,
        athlete_id,
        z,
        x,
        y,
        is_visited
    from ({{ polyline_cells('lines') }}) as cells  -- noqa: PRS
)

select * from final
