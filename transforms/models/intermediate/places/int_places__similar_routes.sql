{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'other_activity_id'],
        on_schema_change='fail',
        post_hook="{{ forget_moved_routes() }}",
        incremental_predicates=merged_where("is_touched('DBT_INTERNAL_DEST')"),
        cluster_by=['activity_id'],
    )
}}

{%- set changed = is_changed('routes.activity_id') %}
{%- set is_touched_pair = is_touched('pairs') %}

with routes as (
    select * from {{ ref('int_places__route_shapes') }}
),

{% if is_incremental() -%}
-- pairs of which one has changed, and whether both are on the map as they were when they were compared
touched as (
    select
        pairs.activity_id,
        pairs.shape,
        pairs.other_activity_id,
        pairs.other_shape,
        mine.activity_id is not null and others.activity_id is not null as holds
    from {{ this }} as pairs
    left join routes as mine on pairs.activity_id = mine.activity_id and pairs.shape = mine.shape
    left join routes as others on pairs.other_activity_id = others.activity_id and pairs.other_shape = others.shape
    where {{ is_touched_pair }}
),

looked_at as (
    select distinct routes.activity_id
    from routes
    left join touched on routes.activity_id = touched.activity_id
    where
        not touched.holds
        or (touched.activity_id is null and {{ changed }})
),

-- what is known of the others
known as (
    select
        pairs.activity_id,
        min(pairs.other_activity_id) as known_id
    from {{ this }} as pairs
    left join looked_at on pairs.activity_id = looked_at.activity_id
    where looked_at.activity_id is null
    group by pairs.activity_id
),
{%- else -%}
looked_at as (
    select activity_id from routes
),

known as (
    select
        activity_id,
        activity_id as known_id
    from routes
    where false
),
{%- endif %}

-- each shape by the earliest activity that has it
shapes as (
    select
        routes.shape,
        routes.athlete_id,
        routes.sport_group,
        routes.cell_count,
        min(routes.activity_id) as first_id,
        min(looked_at.activity_id) as looked_at_id,
        min(known.known_id) as known_id
    from routes
    left join looked_at on routes.activity_id = looked_at.activity_id
    left join known on routes.activity_id = known.activity_id
    group by routes.shape, routes.athlete_id, routes.sport_group, routes.cell_count
),

passed as (
    select
        shapes.first_id,
        shapes.looked_at_id,
        shapes.known_id,
        shapes.athlete_id,
        shapes.sport_group,
        shapes.cell_count,
        route_cells.x,
        route_cells.y
    from shapes
    inner join {{ ref('route_cell') }} as route_cells on shapes.first_id = route_cells.activity_id
    where route_cells.z = 17
),

wanted as (
    select * from passed
    where looked_at_id is not null
),

places as (
    select distinct
        athlete_id,
        sport_group,
        x,
        y
    from wanted
),

-- only there can others be on the same route
cells as (
    select passed.*
    from passed
    inner join places
        on
            passed.athlete_id = places.athlete_id
            and passed.sport_group = places.sport_group
            and passed.x = places.x
            and passed.y = places.y
),

crowds as (
    select
        athlete_id,
        sport_group,
        x,
        y,
        count(*) as shape_count
    from cells
    group by athlete_id, sport_group, x, y
),

ranked as (
    select
        wanted.*,
        row_number() over (partition by wanted.first_id order by crowds.shape_count, wanted.x, wanted.y) as rarity
    from wanted
    inner join crowds
        on
            wanted.athlete_id = crowds.athlete_id
            and wanted.sport_group = crowds.sport_group
            and wanted.x = crowds.x
            and wanted.y = crowds.y
),

-- who shares three quarters of a route's cells is in at least one of any quarter of them, and one more: its rarest will do
rare as (
    select * from ranked
    where 4 * (rarity - 1) <= cell_count
),

-- the earliest route of each size in each cell
earliest as (
    select
        athlete_id,
        sport_group,
        x,
        y,
        cell_count,
        min(first_id) as first_id
    from cells
    group by athlete_id, sport_group, x, y, cell_count
),

nearest as (
    select
        rare.first_id,
        rare.athlete_id,
        rare.sport_group,
        rare.cell_count,
        rare.x,
        rare.y,
        min(earliest.first_id) as other_id
    from rare
    inner join earliest on {{ may_be_the_same_route('rare', 'earliest') }}
    group by rare.first_id, rare.athlete_id, rare.sport_group, rare.cell_count, rare.x, rare.y
),

tried as (
    select distinct
        first_id,
        other_id
    from nearest
    where other_id < first_id
),

-- most are on the route of the earliest one in their rare cells
found as (
    {{ on_the_same_route('tried') }}
),

firsts as (
    select
        first_id,
        min(other_id) as found_id
    from found
    group by first_id
),

bounds as (
    select
        nearest.*,
        coalesce(firsts.found_id, nearest.first_id) as found_id
    from nearest
    left join firsts on nearest.first_id = firsts.first_id
),

-- where the earliest one is on another route, each ride that is earlier than what was found
rest as (
    select
        bounds.first_id,
        cells.first_id as other_id
    from bounds
    inner join cells on {{ may_be_the_same_route('bounds', 'cells') }}
    where
        bounds.other_id < bounds.found_id
        and cells.first_id < bounds.found_id
    union distinct
    select
        rare.first_id,
        cells.first_id as other_id
    from rare
    inner join cells on {{ may_be_the_same_route('rare', 'cells') }}
    where
        rare.looked_at_id < cells.known_id
        and rare.first_id != cells.first_id
),

same as (
    select * from found
    union distinct
    {{ on_the_same_route('rest') }}
    union distinct
    select
        first_id,
        first_id as other_id
    from shapes
    where looked_at_id is not null
),

answers as (
    select
        routes.activity_id,
        min(same.other_id) as other_activity_id
    from looked_at
    inner join routes on looked_at.activity_id = routes.activity_id
    inner join shapes on routes.shape = shapes.shape
    inner join same on shapes.first_id = same.first_id
    group by routes.activity_id
    union all
    select
        routes.activity_id,
        min(mine.looked_at_id) as other_activity_id
    from same
    inner join shapes as mine on same.first_id = mine.first_id
    inner join shapes as others on same.other_id = others.first_id
    inner join routes on others.shape = routes.shape
    left join looked_at on routes.activity_id = looked_at.activity_id
    where
        looked_at.activity_id is null
        and mine.looked_at_id < others.known_id
    group by routes.activity_id
),

fresh as (
    select
        answers.activity_id,
        mine.shape,
        answers.other_activity_id,
        others.shape as other_shape
    from answers
    inner join routes as mine on answers.activity_id = mine.activity_id
    inner join routes as others on answers.other_activity_id = others.activity_id
),

final as (
    {%- if is_incremental() %}
    select
        fresh.activity_id,
        fresh.shape,
        fresh.other_activity_id,
        fresh.other_shape
    from fresh
    left join {{ this }} as pairs
        on
            fresh.activity_id = pairs.activity_id
            and fresh.other_activity_id = pairs.other_activity_id
            and not {{ is_touched_pair }}
    where pairs.activity_id is null
    union distinct
    select
        activity_id,
        shape,
        other_activity_id,
        other_shape
    from touched
    where holds
    {%- else %}
    select * from fresh
    {%- endif %}
)

select * from final
