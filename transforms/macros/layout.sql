{#- How BigQuery partitions a table that is merged by activity; DuckDB needs nothing of the kind. Ids never change and grow with
    time, so a merge touches the newest partitions only. -#}
{% macro by_activity_id() -%}
    {{ return(adapter.dispatch('by_activity_id')()) }}
{%- endmacro %}

{% macro duckdb__by_activity_id() -%}
    {{ return(none) }}
{%- endmacro %}

{% macro bigquery__by_activity_id() -%}
    {{ return({
        'field': 'activity_id', 'data_type': 'int64', 'range': {'start': 0, 'end': 40000000000, 'interval': 10000000}
    }) }}
{%- endmacro %}
