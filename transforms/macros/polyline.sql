{#-
  Decoding of encoded polylines, https://developers.google.com/maps/documentation/utilities/polylinealgorithm: characters carry five bits
  each (minus 63; 32 says that more follow), lowest first; a number's lowest bit is its sign; latitude and longitude alternate, each
  the difference to the one before, in 1e-5 degrees.

  polyline_extents(relation): activity_id with the number of points, the first point and how far the line reaches, in 1e-5 degrees.
  West and east are followed from point to point, always the shorter way round, so beyond 180 degrees they go on: a line from 179 to
  -179 reaches from 179 to 181. A line that does not follow the rules, or leaves the globe, has no row.
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
        latitude.low as south,
        latitude.high as north,
        way.low as west,
        way.high as east
    from (
        select
            activity_id,
            latitudes,
            longitudes,
            {%- for axis, steps in {
                'latitude': 'latitudes',
                'longitude': 'longitudes',
                'way': 'list_transform(longitudes, lambda step: ' ~ shorter_way('step') ~ ')',
            }.items() %}
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
        latitude.low between -9000000 and 9000000
        and latitude.high between -9000000 and 9000000
        and longitude.low between -18000000 and 18000000
        and longitude.high between -18000000 and 18000000
{%- endmacro %}

{% macro bigquery__polyline_extents(relation) -%}
    select
        activity_id,
        extent.point_count,
        extent.first_latitude,
        extent.first_longitude,
        extent.south,
        extent.north,
        extent.west,
        extent.east
    from (
        select
            activity_id,
            (
                select as struct
                    countif(axis = 0) as point_count,
                    max(if(axis = 0 and step = 0, degrees, null)) as first_latitude,
                    max(if(axis = 1 and step = 0, degrees, null)) as first_longitude,
                    min(if(axis = 0, degrees, null)) as south,
                    max(if(axis = 0, degrees, null)) as north,
                    min(if(axis = 1, degrees, null)) as min_longitude,
                    max(if(axis = 1, degrees, null)) as max_longitude,
                    min(if(axis = 1, way, null)) as west,
                    max(if(axis = 1, way, null)) as east
                from (
                    select
                        mod(k, 2) as axis,
                        div(k, 2) as step,
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
            ) as extent
        from {{ relation }}
        where regexp_contains(polyline, r'^(([_-~]{0,6}[?-^]){2})+$')
    )
    where
        extent.south between -9000000 and 9000000
        and extent.north between -9000000 and 9000000
        and extent.min_longitude between -18000000 and 18000000
        and extent.max_longitude between -18000000 and 18000000
{%- endmacro %}


{#- A difference of longitudes: nobody goes more than half round the earth from one point to the next. -#}
{% macro shorter_way(difference) -%}
    case
        when {{ difference }} > 18000000 then {{ difference }} - 36000000
        when {{ difference }} < -18000000 then {{ difference }} + 36000000
        else {{ difference }}
    end
{%- endmacro %}
