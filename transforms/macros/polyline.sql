{#-
  Decoding of encoded polylines, https://developers.google.com/maps/documentation/utilities/polylinealgorithm: characters carry five bits
  each (minus 63; 32 says that more follow), lowest first; a number's lowest bit is its sign; latitude and longitude alternate, each
  the difference to the one before, in 1e-5 degrees.

  DuckDB calls the functions of `polyline.py`, which dbt-duckdb registers; BigQuery does the same in SQL. What each step is for stands
  there; tests compare both. A change of one side changes the other, and `route_version`.

  polyline_routes(relation): activity_id with the number of points, the first point, how far the line reaches, and its path: at most 60
  points; all in 1e-5 degrees. West, east and the path's longitudes are followed from point to point, always the shorter way round, so
  beyond 180 degrees they go on: a line from 179 to -179 reaches from 179 to 181.

  polyline_cells(relation): activity_id, athlete_id, z, x, y and is_visited of each map tile that a line passes, at zoom 14 and 17.

  A line that does not follow the rules, or leaves the globe, has no row.
-#}
{% macro polyline_routes(relation) -%}
    {{ return(adapter.dispatch('polyline_routes')(relation)) }}
{%- endmacro %}

{% macro polyline_cells(relation) -%}
    {{ return(adapter.dispatch('polyline_cells')(relation)) }}
{%- endmacro %}

{#- The version of both definitions. -#}
{% macro route_version() -%}{{ return(1) }}{%- endmacro %}


{% macro duckdb__polyline_routes(relation) -%}
    select
        activity_id,
        line.*
    from (
        select
            activity_id,
            polyline_route(polyline) as line
        from {{ relation }}
    ) as decoded
    where line is not null
{%- endmacro %}

{% macro duckdb__polyline_cells(relation) -%}
    select
        activity_id,
        athlete_id,
        cell.*
    from (
        select
            activity_id,
            athlete_id,
            unnest(polyline_cells(polyline)) as cell
        from {{ relation }}
    ) as cells
{%- endmacro %}


{#- The key with the points of its line in order. Each is worked out within its own row: nothing is shuffled. -#}
{% macro bigquery_polyline_points(relation, key='activity_id') -%}
    select
        {{ key }},
        points
    from (
        select
            {{ key }},
            array(
                select as struct
                    div(k, 2) as step,
                    max(if(mod(k, 2) = 0, degrees, null)) as latitude,
                    max(if(mod(k, 2) = 1, degrees, null)) as longitude,
                    max(if(mod(k, 2) = 1, way, null)) as way
                from (
                    select
                        k,
                        sum(difference) over (partition by mod(k, 2) order by k) as degrees,
                        sum({{ shorter_way('difference') }}) over (partition by mod(k, 2) order by k) as way
                    from (
                        select
                            k,
                            (number >> 1) * (1 - 2 * (number & 1)) - (number & 1) as difference
                        from (
                            select
                                k,
                                sum((code & 31) << (5 * (i - first_i))) as number
                            from (
                                select
                                    i,
                                    code,
                                    k,
                                    min(i) over (partition by k) as first_i
                                from (
                                    select
                                        i,
                                        point - 63 as code,
                                        countif(point - 63 < 32) over (order by i) - if(point - 63 < 32, 1, 0) as k
                                    from unnest(to_code_points(polyline)) as point with offset as i
                                )
                            )
                            group by k
                        )
                    )
                )
                group by step
                order by step
            ) as points
        from {{ relation }}
        where regexp_contains(polyline, r'^(([_-~]{0,6}[?-^]){2})+$')
    )
    where
        not exists (
            select 1
            from unnest(points)
            where abs(latitude) > 9000000 or abs(longitude) > 18000000
        )
{%- endmacro %}

{% macro bigquery__polyline_routes(relation) -%}
    select
        activity_id,
        array_length(points) as point_count,
        points[offset(0)].latitude as first_latitude,
        points[offset(0)].longitude as first_longitude,
        (select min(latitude) from unnest(points)) as south,
        (select max(latitude) from unnest(points)) as north,
        (select min(way) from unnest(points)) as west,
        (select max(way) from unnest(points)) as east,
        array(select latitude from unnest(path) order by step) as latitudes,
        array(select way from unnest(path) order by step) as longitudes
    from (
        select
            activity_id,
            points,
            array(
                select as struct
                    step,
                    latitude,
                    way
                from (
                    select
                        step,
                        latitude,
                        way,
                        row_number() over (
                            partition by stretch
                            order by
                                abs(
                                    (points[safe_offset(last_step + 1)].latitude - points[safe_offset(first_step - 1)].latitude)
                                    * (way - points[safe_offset(first_step - 1)].way)
                                    - (points[safe_offset(last_step + 1)].way - points[safe_offset(first_step - 1)].way)
                                    * (latitude - points[safe_offset(first_step - 1)].latitude)
                                ) desc,
                                step
                        ) as place
                    from (
                        select
                            step,
                            latitude,
                            way,
                            stretch,
                            min(step) over (partition by stretch) as first_step,
                            max(step) over (partition by stretch) as last_step
                        from (
                            select
                                step,
                                latitude,
                                way,
                                if(
                                    array_length(points) <= 60 or step = 0 or step = array_length(points) - 1,
                                    -1 - step,
                                    div((step - 1) * 58, array_length(points) - 2)
                                ) as stretch
                            from unnest(points)
                        )
                    )
                )
                where place = 1
            ) as path
        from (
            {{ bigquery_polyline_points(relation) }}
        )
    )
{%- endmacro %}

{% macro bigquery__polyline_cells(relation) -%}
    select
        activity_id,
        athlete_id,
        z,
        mod(mod(tile_x, 1 << z) + (1 << z), 1 << z) as x,
        least(greatest(tile_y, 0), (1 << z) - 1) as y,
        logical_or(is_visited) as is_visited
    from (
        select
            activity_id,
            athlete_id,
            z,
            tiles.is_visited,
            cast(floor(tiles.x) as int64) as tile_x,
            cast(floor(tiles.y) as int64) as tile_y
        from (
            select
                activity_id,
                athlete_id,
                z,
                x / (1 << (17 - z)) as x,
                y / (1 << (17 - z)) as y,
                next_x / (1 << (17 - z)) as next_x,
                next_y / (1 << (17 - z)) as next_y,
                if(
                    is_near,
                    greatest(cast(ceil(2 * greatest(abs(next_x - x), abs(next_y - y))) as int64), 1),
                    1
                ) as parts
            from (
                select
                    activity_id,
                    athlete_id,
                    x,
                    y,
                    lead(x) over (partition by activity_id order by step) as next_x,
                    lead(y) over (partition by activity_id order by step) as next_y,
                    coalesce(
                        (
                            power(lead(north) over (partition by activity_id order by step) - north, 2)
                            + power(
                                (lead(east) over (partition by activity_id order by step) - east)
                                * cos((lead(north) over (partition by activity_id order by step) + north) / 2),
                                2
                            )
                        ) * power(6371008.8, 2) <= power(1000, 2),
                        false
                    ) as is_near
                from (
                    select
                        lines.activity_id,
                        lines.athlete_id,
                        point.step,
                        point.latitude / 100000 * (3.141592653589793 / 180) as north,
                        point.way / 100000 * (3.141592653589793 / 180) as east,
                        (point.way + 18000000) / 36000000 * 131072 as x,
                        (
                            0.5
                            - ln((1 + {{ mercator_sine('point.latitude') }}) / (1 - {{ mercator_sine('point.latitude') }}))
                            / (4 * 3.141592653589793)
                        ) * 131072 as y
                    from (
                        {{ bigquery_polyline_points(relation, 'activity_id, athlete_id') }}
                    ) as lines
                    cross join unnest(lines.points) as point
                )
            )
            cross join unnest([14, 17]) as z
        ) as segments
        cross join unnest(
            array_concat(
                [struct(x, y, true as is_visited)],
                array(
                    select as struct
                        if(floor(crossing) = floor(y), floor(next_x), floor(x)) as x,
                        if(floor(crossing) = floor(y), floor(y), floor(next_y)) as y,
                        true as is_visited
                    from unnest([y + (next_y - y) * (greatest(floor(x), floor(next_x)) - x) / nullif(next_x - x, 0)]) as crossing
                    where abs(floor(next_x) - floor(x)) = 1 and abs(floor(next_y) - floor(y)) = 1
                ),
                array(
                    select as struct
                        x + (next_x - x) * (part / parts) as x,
                        y + (next_y - y) * (part / parts) as y,
                        false as is_visited
                    from unnest(generate_array(1, parts - 1)) as part
                )
            )
        ) as tiles
    )
    group by 1, 2, 3, 4, 5
{%- endmacro %}

{#- The sine of a latitude that the square map of the world still shows. -#}
{% macro mercator_sine(latitude) -%}
    sin(least(greatest({{ latitude }} / 100000, -85.0511287798066), 85.0511287798066) * (3.141592653589793 / 180))
{%- endmacro %}


{#- A difference of longitudes: nobody goes more than half round the earth from one point to the next. -#}
{% macro shorter_way(difference) -%}
    case
        when {{ difference }} > 18000000 then {{ difference }} - 36000000
        when {{ difference }} < -18000000 then {{ difference }} + 36000000
        else {{ difference }}
    end
{%- endmacro %}
