{{ config(materialized='view', meta={'definition_version': route_version()}) }}

with cells as (
    select * from {{ portable(ref('route_cell')) }}
    where is_visited
),

routes as (
    select * from {{ portable(ref('route')) }}
    where not is_virtual
),

final as (
    select
        cells.activity_id,
        cells.athlete_id,
        cells.z,
        cells.x,
        cells.y,
        routes.sport_type,
        routes.sport_group,
        routes.start_date_local,
        routes.is_assisted,
        routes.is_private,
        routes.polyline_kind = 'detailed' as is_precise,
        routes.definition_version
    from cells
    inner join routes
        on
            cells.athlete_id = routes.athlete_id
            and cells.activity_id = routes.activity_id
)

select * from final
