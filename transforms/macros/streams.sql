{#-
  An activity's streams: what Strava sends as an object by key, as one row per key.

  stream_rows(relation, key): the key's columns, stream_key, series_type, resolution, original_size and the data as three arrays of numbers.
  `readings` has one number a point, of `moving` 1 or 0. A point of `latlng` is in `latitudes` and `longitudes` instead. What was not
  sent at a point, or not readably, is NaN there, because an array on BigQuery holds no null. A key that is not an object with
  data has no row, and nothing here fails.
-#}
{% macro stream_keys() -%}
    {{ return([
        'time', 'distance', 'latlng', 'altitude', 'velocity_smooth', 'heartrate', 'cadence', 'watts', 'temp', 'moving', 'grade_smooth',
    ]) }}
{%- endmacro %}

{% macro stream_rows(relation, key='activity_id') -%}
    {{ return(adapter.dispatch('stream_rows')(relation, key)) }}
{%- endmacro %}

{#- The payload is read once, as numbers, which takes a sixth of the time of texts. A truth is 1 or 0 to DuckDB, and what is no number is null. -#}
{% macro duckdb__stream_rows(relation, key) -%}
    {%- set nan = "cast('nan' as double)" %}
    select
        {{ key }},
        stream.stream_key as stream_key,
        stream.series_type as series_type,
        stream.resolution as resolution,
        {{ as_int('stream.original_size') }} as original_size,
        list_transform(
            stream.readings, lambda point: case when point = 0 or abs(point) between 1e-12 and 1e12 then point else {{ nan }} end
        ) as readings,
        {%- for axis in ['latitudes', 'longitudes'] %}
        list_transform(
            stream.places,
            lambda point: case
                when (point[1] = 0 or abs(point[1]) between 1e-12 and 90) and (point[2] = 0 or abs(point[2]) between 1e-12 and 180)
                    then point[{{ loop.index }}]
                else {{ nan }}
            end
        ) as {{ axis }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ key }},
            unnest([
                {%- for stream_key in stream_keys() %}
                {%- set data = 'sent.' ~ stream_key ~ '.data' %}
                struct_pack(
                    stream_key := '{{ stream_key }}',
                    series_type := sent.{{ stream_key }}.series_type,
                    resolution := sent.{{ stream_key }}.resolution,
                    original_size := sent.{{ stream_key }}.original_size,
                    is_sent := {{ data }} is not null,
                    readings := {{ 'cast([] as double[])' if stream_key == 'latlng' else data }},
                    places := {{ data if stream_key == 'latlng' else 'cast([] as double[][])' }}
                ){{ ',' if not loop.last }}
                {%- endfor %}
            ]) as stream
        from (
            select
                {{ key }},
                try(from_json(payload, '{{ stream_shapes() }}')) as sent
            from {{ relation }}
        ) as opened
    ) as streams
    where stream.is_sent
{%- endmacro %}

{#- What DuckDB reads of each key. -#}
{% macro stream_shapes() -%}
    {%- set texts = '"series_type": "VARCHAR", "resolution": "VARCHAR", "original_size": "VARCHAR"' -%}
    {
        {%- for stream_key in stream_keys() -%}
        "{{ stream_key }}": { {{- texts }}, "data": {{ '[["DOUBLE"]]' if stream_key == 'latlng' else '["DOUBLE"]' -}} }{{ ', ' if not loop.last }}
        {%- endfor -%}
    }
{%- endmacro %}

{% macro bigquery__stream_rows(relation, key) -%}
    {%- set nan = "cast('nan' as float64)" %}
    select
        {{ key }},
        stream.stream_key,
        json_value(stream.sent, '$.series_type') as series_type,
        json_value(stream.sent, '$.resolution') as resolution,
        {{ as_int("json_value(stream.sent, '$.original_size')") }} as original_size,
        array(
            select coalesce({{ as_reading('json_value(point)') }}, {{ nan }})
            from unnest(json_query_array(stream.sent, '$.data')) as point with offset as place
            where stream.stream_key != 'latlng'
            order by place
        ) as readings,
        {%- for axis, macro in {'latitudes': as_latitude, 'longitudes': as_longitude}.items() %}
        array(
            select coalesce({{ macro("json_value(point, '$[0]')", "json_value(point, '$[1]')") }}, {{ nan }})
            from unnest(json_query_array(stream.sent, '$.data')) as point with offset as place
            where stream.stream_key = 'latlng'
            order by place
        ) as {{ axis }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    cross join unnest([
        {%- for key in stream_keys() %}
        struct('{{ key }}' as stream_key, json_query(payload, '$.{{ key }}') as sent){{ ',' if not loop.last }}
        {%- endfor %}
    ]) as stream
    where json_type(json_query(stream.sent, '$.data')) = 'array'
{%- endmacro %}


{#- A number out of BigQuery's text; of a truth 1 or 0. -#}
{% macro as_reading(text) -%}
    coalesce({{ as_float(text) }}, case {{ text }} when 'true' then 1.0 when 'false' then 0.0 end)
{%- endmacro %}


{#- The values of one recording at the seconds of another, both as arrays; NaN where it has none. `shift_s` is how much later it began. -#}
{% macro values_at(seconds, other_seconds, other_values, shift_s) -%}
    {{ return(adapter.dispatch('values_at')(seconds, other_seconds, other_values, shift_s)) }}
{%- endmacro %}

{% macro duckdb__values_at(seconds, other_seconds, other_values, shift_s) -%}
    (
        select list(coalesce(known.value, cast('nan' as double)) order by wanted.place)
        from (
            select
                unnest({{ seconds }}) as second,
                generate_subscripts({{ seconds }}, 1) as place
        ) as wanted
        left join (
            select
                second + {{ shift_s }} as second,
                max(value) as value
            from (
                select
                    unnest({{ other_seconds }}) as second,
                    unnest({{ other_values }}) as value
            ) as pairs
            group by second
        ) as known on wanted.second = known.second
    )
{%- endmacro %}

{% macro bigquery__values_at(seconds, other_seconds, other_values, shift_s) -%}
    array(
        select coalesce(known.value, cast('nan' as float64))
        from unnest({{ seconds }}) as wanted with offset as place
        left join (
            select
                second + {{ shift_s }} as second,
                max(value) as value
            from unnest({{ other_seconds }}) as second with offset as second_place
            inner join unnest({{ other_values }}) as value with offset as value_place
                on second_place = value_place
            group by second
        ) as known on wanted = known.second
        order by place
    )
{%- endmacro %}
