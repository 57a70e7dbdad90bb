{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with routes as (
    select * from {{ ref('route') }}
    where
        not is_virtual
        and {{ is_changed() }}
),

cells as (
    select
        activity_id,
        x * 131072 + y as cell
    from {{ ref('route_cell') }}
    where
        z = 17
        and {{ is_changed() }}
),

outlines as (
    select
        activity_id,
        count(*) as cell_count,
        {{ numbers_joined('cell') }} as outline
    from cells
    group by activity_id
    having count(*) >= 10
),

final as (
    select
        routes.activity_id,
        routes.athlete_id,
        routes.sport_group,
        outlines.cell_count,
        {{ dbt.hash(dbt.concat([
            'cast(routes.athlete_id as ' ~ dbt.type_string() ~ ')', "':'", 'routes.sport_group', "':'", 'outlines.outline'
        ])) }} as shape
    from routes
    inner join outlines on routes.activity_id = outlines.activity_id
)

select * from final
