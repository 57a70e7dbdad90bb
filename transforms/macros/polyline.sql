{#-
  Decoding of encoded polylines, https://developers.google.com/maps/documentation/utilities/polylinealgorithm: characters carry five bits
  each (minus 63; 32 says that more follow), lowest first; a number's lowest bit is its sign; latitude and longitude alternate, each
  the difference to the one before, in 1e-5 degrees.

  polyline_extents(relation): activity_id with the number of points, the first point and the bounding box in 1e-5 degrees.
  A line that does not follow the rules, or leaves the globe, has no row.
-#}
{% macro polyline_extents(relation) -%}
    {{ return(adapter.dispatch('polyline_extents')(relation)) }}
{%- endmacro %}

{#- Lists all the way: one row stays one row, nothing is unnested, sorted or joined. -#}
{% macro duckdb__polyline_extents(relation) -%}
    select
        activity_id,
        len(latitudes) as point_count,
        latitudes[1] as first_latitude,
        longitudes[1] as first_longitude,
        south.low as min_latitude,
        south.high as max_latitude,
        west.low as min_longitude,
        west.high as max_longitude
    from (
        select
            activity_id,
            latitudes,
            longitudes,
            {%- for axis, steps in {'south': 'latitudes', 'west': 'longitudes'}.items() %}
            list_reduce(
                list_transform({{ steps }}, lambda step: {'here': step, 'low': step, 'high': step}),
                lambda before, step: {
                    'here': before.here + step.here,
                    'low': least(before.low, before.here + step.here),
                    'high': greatest(before.high, before.here + step.here)
                }
            ) as {{ axis }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            select
                activity_id,
                list_transform(
                    range(1, len(numbers) + 1, 2), lambda i: (numbers[i] >> 1) * (1 - 2 * (numbers[i] & 1)) - (numbers[i] & 1)
                ) as latitudes,
                list_transform(
                    range(2, len(numbers) + 1, 2), lambda i: (numbers[i] >> 1) * (1 - 2 * (numbers[i] & 1)) - (numbers[i] & 1)
                ) as longitudes
            from (
                select
                    activity_id,
                    list_transform(
                        range(1, len(ends) + 1),
                        lambda k: list_sum(list_transform(
                            range(coalesce(ends[k - 1], 0) + 1, ends[k] + 1),
                            lambda i: (codes[i] & 31) << (5 * (i - coalesce(ends[k - 1], 0) - 1))
                        ))::bigint
                    ) as numbers
                from (
                    select
                        activity_id,
                        codes,
                        list_filter(range(1, len(codes) + 1), lambda i: codes[i] < 32) as ends
                    from (
                        select
                            activity_id,
                            list_transform(string_split(polyline, ''), lambda letter: (ord(letter) - 63)::bigint) as codes
                        from {{ relation }}
                        where regexp_full_match(polyline, '(([_-~]{0,6}[?-^]){2})+')
                    ) as letters
                ) as numbered
            ) as summed
        ) as steps
    ) as walked
    where
        south.low between -9000000 and 9000000
        and south.high between -9000000 and 9000000
        and west.low between -18000000 and 18000000
        and west.high between -18000000 and 18000000
{%- endmacro %}

{% macro bigquery__polyline_extents(relation) -%}
    select
        activity_id,
        extent.*
    from (
        select
            activity_id,
            (
                select as struct
                    countif(axis = 0) as point_count,
                    max(if(axis = 0 and step = 0, degrees, null)) as first_latitude,
                    max(if(axis = 1 and step = 0, degrees, null)) as first_longitude,
                    min(if(axis = 0, degrees, null)) as min_latitude,
                    max(if(axis = 0, degrees, null)) as max_latitude,
                    min(if(axis = 1, degrees, null)) as min_longitude,
                    max(if(axis = 1, degrees, null)) as max_longitude
                from (
                    select
                        mod(k, 2) as axis,
                        div(k, 2) as step,
                        sum((number >> 1) * (1 - 2 * (number & 1)) - (number & 1)) over (
                            partition by mod(k, 2) order by k
                        ) as degrees
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
            ) as extent
        from {{ relation }}
        where regexp_contains(polyline, r'^(([_-~]{0,6}[?-^]){2})+$')
    )
    where
        extent.min_latitude between -9000000 and 9000000
        and extent.max_latitude between -9000000 and 9000000
        and extent.min_longitude between -18000000 and 18000000
        and extent.max_longitude between -18000000 and 18000000
{%- endmacro %}
