{#-
  Reading `raw`: SQLite through DuckDB's extension, or BigQuery.

  raw_rows(table, columns, conditions): a select of the columns, typed.
    table       name of the source table
    columns     {name: type}; types as both engines spell them (int64, string, bool, timestamp), or json
    conditions  what SQLite or BigQuery is to look for, as SQL of literals: `is_after`, `is_new`, `is_changed`

  SQLite is dynamically typed and `sqlite_query` hands everything over as text, so every column is cast.
-#}
{% macro raw_rows(table, columns, conditions=[]) -%}
    {{ return(adapter.dispatch('raw_rows')(table, columns, conditions)) }}
{%- endmacro %}

{% macro duckdb__raw_rows(table, columns, conditions) -%}
    {%- set relation = source('raw', table) -%}
    {%- set where = ' where ' ~ conditions | join(' and ') if conditions else '' -%}
    select
    {%- for name, type in columns.items() %}
        cast({{ name }} as {{ 'varchar' if type == 'json' else type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
    {%- if relation.schema == 'main' %}
    from sqlite_query('raw', 'select {{ columns | join(", ") }} from {{ relation.identifier ~ where | replace("'", "''") }}')
    {%- else %}
    {#- a unit test's rows, which are not in SQLite #}
    from {{ relation }}{{ where }}
    {%- endif %}
{%- endmacro %}

{% macro bigquery__raw_rows(table, columns, conditions) -%}
    select
        {{ columns | join(',\n        ') }}
    from {{ source('raw', table) }}
    {% if conditions %}where {{ conditions | join(' and ') }}{% endif %}
{%- endmacro %}


{#- Later than a moment, which is text as `raw` in SQLite writes timestamps; true when there is none. -#}
{% macro is_after(column, moment) -%}
    {{ column ~ ' > ' ~ raw_moment(moment) if moment else 'true' }}
{%- endmacro %}


{#- Within the last days. -#}
{% macro is_within_days(column, days) -%}
    {{ column }} >= {{ raw_moment(moment_days_ago(days, '%Y-%m-%dT%H:%M:%S.%fZ')) }}
{%- endmacro %}


{#- A moment as `raw` can compare it: text in SQLite, a timestamp on BigQuery. -#}
{% macro raw_moment(text) -%}
    {{ return(adapter.dispatch('raw_moment')(text)) }}
{%- endmacro %}

{% macro duckdb__raw_moment(text) -%}
    '{{ text }}'
{%- endmacro %}

{% macro bigquery__raw_moment(text) -%}
    cast('{{ text }}' as timestamp)
{%- endmacro %}
