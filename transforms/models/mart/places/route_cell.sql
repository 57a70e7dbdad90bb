{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'z', 'x', 'y'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'activity_id'],
    )
}}

with lines as (
    select * from {{ ref('base_strava__activities') }}
    where
        not is_deleted
        and polyline is not null
        and {{ is_changed() }}
),

cells as (
    {{ polyline_cells('lines') }}  -- noqa: PRS
),

final as (
    select
        cells.activity_id,
        lines.athlete_id,
        cells.z,
        cells.x,
        cells.y,
        cells.is_visited
    from cells
    inner join lines on cells.activity_id = lines.activity_id
)

select * from final
