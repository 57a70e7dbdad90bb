{% set definition_version = 1 %}
{{ config(cluster_by=['athlete_id', 'activity_id'], meta={'definition_version': definition_version}) }}

with routes as (
    select * from {{ ref('route') }}
),

sizes as (
    select * from {{ ref('int_places__route_shapes') }}
),

-- the earliest activity on the same route, then the earliest of that one, and so on: each step doubles how far it leads
step_0 as (
    select
        activity_id,
        min(other_activity_id) as first_id
    from {{ ref('int_places__similar_routes') }}
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
