{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'other_activity_id'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with routes as (
    select * from {{ ref('route') }}
    where not is_virtual
),

cells as (
    select
        activity_id,
        athlete_id,
        x,
        y
    from {{ ref('route_cell') }}
    where z = 17
),

sizes as (
    select
        cells.activity_id,
        routes.athlete_id,
        routes.sport_group,
        routes.ingested_at,
        count(*) as cell_count
    from cells
    inner join routes on cells.activity_id = routes.activity_id
    group by cells.activity_id, routes.athlete_id, routes.sport_group, routes.ingested_at
    having count(*) >= 10
),

changed_cells as (
    select * from cells
    where {{ is_changed() }}
),

wanted as (
    select distinct
        athlete_id,
        x,
        y
    from changed_cells
),

-- how many activities passed each of these cells
crowds as (
    select
        cells.athlete_id,
        cells.x,
        cells.y,
        count(*) as activity_count
    from cells
    inner join wanted
        on
            cells.athlete_id = wanted.athlete_id
            and cells.x = wanted.x
            and cells.y = wanted.y
    group by cells.athlete_id, cells.x, cells.y
),

ranked as (
    select
        changed_cells.activity_id,
        changed_cells.athlete_id,
        changed_cells.x,
        changed_cells.y,
        sizes.cell_count,
        row_number() over (
            partition by changed_cells.activity_id order by crowds.activity_count, changed_cells.x, changed_cells.y
        ) as rarity
    from changed_cells
    inner join sizes on changed_cells.activity_id = sizes.activity_id
    inner join crowds
        on
            changed_cells.athlete_id = crowds.athlete_id
            and changed_cells.x = crowds.x
            and changed_cells.y = crowds.y
),

-- who shares three quarters of a route's cells is in at least one of any quarter of them, and one more: its rarest will do
candidates as (
    select distinct
        ranked.activity_id,
        cells.activity_id as other_activity_id
    from ranked
    inner join cells
        on
            ranked.athlete_id = cells.athlete_id
            and ranked.x = cells.x
            and ranked.y = cells.y
    where
        4 * (ranked.rarity - 1) <= ranked.cell_count
        and ranked.activity_id != cells.activity_id
        and (cells.activity_id < ranked.activity_id or not {{ is_changed('cells.activity_id') }})
),

comparable as (
    select
        candidates.activity_id,
        candidates.other_activity_id,
        mine.athlete_id,
        mine.ingested_at,
        others.ingested_at as other_ingested_at,
        greatest(mine.cell_count, others.cell_count) as larger_cell_count
    from candidates
    inner join sizes as mine on candidates.activity_id = mine.activity_id
    inner join sizes as others
        on
            candidates.other_activity_id = others.activity_id
            and mine.sport_group = others.sport_group
    where 4 * least(mine.cell_count, others.cell_count) >= 3 * greatest(mine.cell_count, others.cell_count)
),

final as (
    select
        comparable.activity_id,
        comparable.other_activity_id,
        comparable.athlete_id,
        count(*) as shared_cell_count,
        comparable.larger_cell_count,
        comparable.ingested_at,
        comparable.other_ingested_at
    from comparable
    inner join changed_cells on comparable.activity_id = changed_cells.activity_id
    inner join cells
        on
            comparable.other_activity_id = cells.activity_id
            and changed_cells.x = cells.x
            and changed_cells.y = cells.y
    group by
        comparable.activity_id, comparable.other_activity_id, comparable.athlete_id, comparable.larger_cell_count,
        comparable.ingested_at, comparable.other_ingested_at
    having 4 * count(*) >= 3 * comparable.larger_cell_count
)

select * from final
