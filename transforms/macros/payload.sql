{#-
  A JSON column of a relation, opened once: one row per key, one column of text per field.

  opened(relation, key, places, lists, document)
    places    what is read, as names joined by dots; `start_latlng.0` is the first element of an array. A column's name is joined
              by underscores: `start_latlng_0`
    lists     {name of an array of objects: [names in each object]}; an array of structs of text. `segment.id` is read from an object
              within, and becomes a struct within; such names come last
    document  the column, by default `payload`

  `is_payload_object` tells whether there was an object at all. Nothing here fails, for any payload: what is not there, or is
  not of that shape, is null.
-#}
{% macro opened(relation, key, places, lists={}, document='payload') -%}
    {{ return(adapter.dispatch('opened')(relation, key, places, lists, document)) }}
{%- endmacro %}

{#- DuckDB reads the whole payload in one pass; forty single look-ups would take eleven times as long. -#}
{% macro duckdb__opened(relation, key, places, lists, document) -%}
    {%- set shape = {} -%}
    {%- for place in places -%}
        {%- set steps = place.split('.') -%}
        {%- if steps | length == 1 -%}
            {%- do shape.update({place: 'VARCHAR'}) -%}
        {%- elif steps[1] in '01' -%}
            {%- do shape.update({steps[0]: ['VARCHAR']}) -%}
        {%- else -%}
            {%- do shape.setdefault(steps[0], {}).update({steps[1]: 'VARCHAR'}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for list, names in lists.items() -%}
        {%- set element = {} -%}
        {%- for name in names -%}
            {%- set steps = name.split('.') -%}
            {%- if steps | length == 1 -%}
                {%- do element.update({name: 'VARCHAR'}) -%}
            {%- else -%}
                {%- do element.setdefault(steps[0], {}).update({steps[1]: 'VARCHAR'}) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do shape.update({list: [element]}) -%}
    {%- endfor -%}
    select
        {{ key }},
        {%- for place in places %}
        {%- set steps = place.split('.') %}
        sent."{{ steps[0] }}"
        {%- if steps | length == 2 %}{{ '[' ~ (steps[1] | int + 1) ~ ']' if steps[1] in '01' else '."' ~ steps[1] ~ '"' }}{% endif %} as {{ adapter.quote(place | replace('.', '_')) }},
        {%- endfor %}
        {%- for list in lists %}
        sent."{{ list }}" as {{ list }},
        {%- endfor %}
        is_payload_object
    from (
        select
            {{ key }},
            from_json(document, '{{ tojson(shape) }}') as sent,
            coalesce(regexp_matches(document, '^\s*[{]'), false) as is_payload_object
        from (
            select
                {{ key }},
                try_cast({{ document }} as json) as document
            from {{ relation }}
        ) as documents
    ) as parsed
{%- endmacro %}

{% macro bigquery__opened(relation, key, places, lists, document) -%}
    select
        {{ key }},
        {%- for place in places %}
        {%- set path = "'$." ~ place.replace('.0', '[0]').replace('.1', '[1]') ~ "'" %}
        coalesce(json_value({{ document }}, {{ path }}), nullif(to_json_string(json_query({{ document }}, {{ path }})), 'null')) as {{ adapter.quote(place | replace('.', '_')) }},
        {%- endfor %}
        {%- for list, names in lists.items() %}
        array(
            select as struct
                {%- for name in names if '.' not in name %}
                json_value(element, '$.{{ name }}') as {{ name }},
                {%- endfor %}
                {%- set within = {} %}
                {%- for name in names if '.' in name %}
                {%- do within.setdefault(name.split('.')[0], []).append(name) %}
                {%- endfor %}
                {%- for object, inner in within.items() %}
                struct(
                    {%- for name in inner %}
                    json_value(element, '$.{{ name }}') as {{ name.split('.')[1] }}{{ ',' if not loop.last }}
                    {%- endfor %}
                ) as {{ object }},
                {%- endfor %}
            from unnest(json_query_array({{ document }}, '$.{{ list }}')) as element
        ) as {{ list }},
        {%- endfor %}
        coalesce(json_type({{ document }}) = 'object', false) as is_payload_object
    from {{ relation }}
{%- endmacro %}


{#- Whether something was sent and could not be read, by pairs of a text and what it was read as. -#}
{% macro any_unreadable(pairs) -%}
    {%- for text, column in pairs %}
    ({{ text }} is not null and {{ column }} is null){{ ' or' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{#- After a star: all columns but these. -#}
{% macro except(columns) -%}
    {{ 'except' if target.type == 'bigquery' else 'exclude' }} ({{ columns | join(', ') }})
{%- endmacro %}


{#- Whether an object has a key, also with null as its value; false for what is no object. -#}
{% macro has_key(document, key) -%}
    {{ return(adapter.dispatch('has_key')(document, key)) }}
{%- endmacro %}

{% macro duckdb__has_key(document, key) -%}
    coalesce(json_exists(try_cast({{ document }} as json), '$.{{ key }}'), false)
{%- endmacro %}

{% macro bigquery__has_key(document, key) -%}
    json_query({{ document }}, '$.{{ key }}') is not null
{%- endmacro %}
