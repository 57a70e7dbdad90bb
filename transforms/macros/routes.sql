{#-
  How routes are compared, for `int_places__similar_routes`. Both sides of a pair are named by the earliest activity of their shape.
-#}

{#- Of these pairs (first_id, other_id) those that share three quarters of the tiles of the larger one. It reads the CTE `cells`. Grouping
    within keeps an engine from comparing all cells with one another before it looks at the pairs. -#}
{% macro on_the_same_route(pairs) -%}
    select
        mine.first_id,
        mine.other_id
    from (
        select
            pairs.first_id,
            pairs.other_id,
            cells.x,
            cells.y,
            max(cells.cell_count) as cell_count
        from {{ pairs }} as pairs
        inner join cells on pairs.first_id = cells.first_id
        group by pairs.first_id, pairs.other_id, cells.x, cells.y
    ) as mine
    inner join cells as others
        on
            mine.other_id = others.first_id
            and mine.x = others.x
            and mine.y = others.y
    group by mine.first_id, mine.other_id
    having 4 * count(*) >= 3 * greatest(max(mine.cell_count), max(others.cell_count))
{%- endmacro %}

{#- Whether two routes pass one tile and are of sizes of which three quarters can be shared. -#}
{% macro may_be_the_same_route(one, other) -%}
    {{ one }}.athlete_id = {{ other }}.athlete_id
    and {{ one }}.sport_group = {{ other }}.sport_group
    and {{ one }}.x = {{ other }}.x
    and {{ one }}.y = {{ other }}.y
    and 4 * {{ one }}.cell_count >= 3 * {{ other }}.cell_count
    and 4 * {{ other }}.cell_count >= 3 * {{ one }}.cell_count
{%- endmacro %}

{#- Post-hook: pairs of what has changed or is gone. On BigQuery the merge removes them. -#}
{% macro forget_moved_routes() -%}
    {%- if is_incremental() and target.type != 'bigquery' -%}
        delete from {{ this }} as pairs
        where
            {{ is_touched('pairs') }}
            and not (
                exists (
                    select 1
                    from {{ ref('int_places__route_shapes') }} as mine
                    where pairs.activity_id = mine.activity_id and pairs.shape = mine.shape
                )
                and exists (
                    select 1
                    from {{ ref('int_places__route_shapes') }} as others
                    where pairs.other_activity_id = others.activity_id and pairs.other_shape = others.shape
                )
            )
    {%- endif -%}
{%- endmacro %}
