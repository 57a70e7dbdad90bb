{% set definition_version = 1 %}
{{ config(cluster_by=['athlete_id', 'activity_id'], meta={'definition_version': definition_version}) }}

with routes as (
    select * from {{ ref('route') }}
    where not is_virtual
),

sizes as (
    select
        activity_id,
        count(*) as cell_count
    from {{ ref('route_cell') }}
    where z = 17
    group by activity_id
    having count(*) >= 10
),

-- both are as they were when they were compared
pairs as (
    select
        similar_routes.activity_id,
        similar_routes.other_activity_id
    from {{ ref('int_places__similar_routes') }} as similar_routes
    inner join routes
        on
            similar_routes.activity_id = routes.activity_id
            and similar_routes.ingested_at = routes.ingested_at
    inner join routes as others
        on
            similar_routes.other_activity_id = others.activity_id
            and similar_routes.other_ingested_at = others.ingested_at
),

links as (
    select
        activity_id,
        other_activity_id
    from pairs
    union all
    select
        other_activity_id as activity_id,
        activity_id as other_activity_id
    from pairs
    union all
    select
        activity_id,
        activity_id as other_activity_id
    from sizes
),

-- the earliest activity on the same route, then the earliest of that one, and so on: each step doubles how far it leads
step_0 as (
    select
        activity_id,
        min(other_activity_id) as first_id
    from links
    group by activity_id
),

{% for step in range(1, 7) -%}
step_{{ step }} as (
    select
        nearer.activity_id,
        farther.first_id
    from step_{{ step - 1 }} as nearer
    inner join step_{{ step - 1 }} as farther on nearer.first_id = farther.activity_id
),

{% endfor -%}
final as (
    select
        step_6.activity_id,
        routes.athlete_id,
        step_6.first_id as route_group_id,
        routes.sport_type,
        routes.sport_group,
        routes.start_date_local,
        routes.is_private,
        sizes.cell_count,
        cast({{ definition_version }} as int64) as definition_version
    from step_6
    inner join routes on step_6.activity_id = routes.activity_id
    inner join sizes on step_6.activity_id = sizes.activity_id
)

select * from final
