{#- Schemas are called exactly what the models' folders say, `staging` and `mart`, and not by the target's default. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}


{#- A relation as a view may name it: without the database on DuckDB, whose published copy carries another name. -#}
{% macro portable(relation) -%}
    {{ return(adapter.dispatch('portable')(relation)) }}
{%- endmacro %}

{% macro duckdb__portable(relation) -%}
    {{ return(relation.include(database=false)) }}
{%- endmacro %}

{% macro bigquery__portable(relation) -%}
    {{ return(relation) }}
{%- endmacro %}
