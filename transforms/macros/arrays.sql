{#- One row per element of an array column of the table before it: `from t {{ each('column', 'name') }}`. -#}
{% macro each(array, name) -%}
    {{ return(adapter.dispatch('each')(array, name)) }}
{%- endmacro %}

{% macro duckdb__each(array, name) -%}
    cross join unnest({{ array }}) as {{ name }}_rows ({{ name }})
{%- endmacro %}

{% macro bigquery__each(array, name) -%}
    cross join unnest({{ array }}) as {{ name }}
{%- endmacro %}
