{#- One row per element of an array column of the table before it: `from t {{ each('column', 'name') }}`. -#}
{% macro each(array, name) -%}
    {{ return(adapter.dispatch('each')(array, name)) }}
{%- endmacro %}

{#- `cross join unnest(…)` alone would be joined by all columns of the table before it, in twice the time. -#}
{% macro duckdb__each(array, name) -%}
    cross join lateral (select unnest({{ array }}) as {{ name }}) as {{ name }}_rows
{%- endmacro %}

{% macro bigquery__each(array, name) -%}
    cross join unnest({{ array }}) as {{ name }}
{%- endmacro %}


{#- Whole numbers from one to another, both included, as an array to unnest. -#}
{% macro whole_numbers(first, last) -%}
    {{ return(adapter.dispatch('whole_numbers')(first, last)) }}
{%- endmacro %}

{% macro duckdb__whole_numbers(first, last) -%}
    generate_series({{ first }}, {{ last }})
{%- endmacro %}

{% macro bigquery__whole_numbers(first, last) -%}
    generate_array({{ first }}, {{ last }})
{%- endmacro %}


{#- The numbers of a group in order, as one text, joined by commas. -#}
{% macro numbers_joined(number) -%}
    {{ return(adapter.dispatch('numbers_joined')(number)) }}
{%- endmacro %}

{#- Half of the time that `string_agg` takes to order texts. -#}
{% macro duckdb__numbers_joined(number) -%}
    array_to_string(list_sort(list({{ number }})), ',')
{%- endmacro %}

{% macro bigquery__numbers_joined(number) -%}
    string_agg(cast({{ number }} as string), ',' order by {{ number }})
{%- endmacro %}


{#- The elements of an array as one text, joined by commas; null of an empty one. -#}
{% macro joined(array) -%}
    {{ return(adapter.dispatch('joined')(array)) }}
{%- endmacro %}

{% macro duckdb__joined(array) -%}
    nullif(array_to_string({{ array }}, ','), '')
{%- endmacro %}

{% macro bigquery__joined(array) -%}
    (
        select string_agg(cast(element as string), ',' order by place)
        from unnest({{ array }}) as element with offset as place
    )
{%- endmacro %}


{#-
  At most so many elements of an array, evenly by their place, the first and the last among them; none of an array that has not `size`
  elements.
-#}
{% macro picked(array, size, most) -%}
    {{ return(adapter.dispatch('picked')(array, size, most)) }}
{%- endmacro %}

{% macro duckdb__picked(array, size, most) -%}
    list_transform(
        range(0, case when len({{ array }}) = {{ size }} then least({{ size }}, {{ most }}) else 0 end),
        lambda place: {{ array }}[1 + (place * ({{ size }} - 1)) // greatest(least({{ size }}, {{ most }}) - 1, 1)]
    )
{%- endmacro %}

{% macro bigquery__picked(array, size, most) -%}
    array(
        select {{ array }}[offset(div(place * ({{ size }} - 1), greatest(least({{ size }}, {{ most }}) - 1, 1)))]
        from unnest(generate_array(0, if(array_length({{ array }}) = {{ size }}, least({{ size }}, {{ most }}) - 1, -1))) as place
        order by place
    )
{%- endmacro %}


{#- Each number of an array times a factor. -#}
{% macro multiplied(array, factor) -%}
    {{ return(adapter.dispatch('multiplied')(array, factor)) }}
{%- endmacro %}

{% macro duckdb__multiplied(array, factor) -%}
    list_transform({{ array }}, lambda element: element * {{ factor }})
{%- endmacro %}

{% macro bigquery__multiplied(array, factor) -%}
    array(select element * {{ factor }} from unnest({{ array }}) as element with offset as place order by place)
{%- endmacro %}
