{#-
  Reading `raw`: SQLite through DuckDB's extension, or BigQuery.

  raw_rows(table, columns, since, only): a select of the columns, typed.
    table    name of the source table
    columns  {name: type}; types as both engines spell them (int64, string, bool, timestamp), or json
    since    a timestamp column: only rows above its maximum in this model, once this model is built incrementally
    only     {'column': …, 'days': …}: only rows whose timestamp column lies within the last days

  SQLite is dynamically typed and `sqlite_query` hands everything over as text, so every column is cast.
-#}
{% macro raw_rows(table, columns, since=none, only=none) -%}
    {{ return(adapter.dispatch('raw_rows')(table, columns, since, only)) }}
{%- endmacro %}

{% macro duckdb__raw_rows(table, columns, since, only) -%}
    {%- set relation = source('raw', table) -%}
    {%- set conditions = [] -%}
    {%- if since and is_incremental() -%}
        {%- set newest = newest_in_this(since) -%}
        {%- if newest -%}{%- do conditions.append(since ~ " > '" ~ newest ~ "'") -%}{%- endif -%}
    {%- endif -%}
    {%- if only -%}
        {%- set first = as_of_moment() - modules.datetime.timedelta(days=only.days) -%}
        {%- do conditions.append(only.column ~ " >= '" ~ first.strftime('%Y-%m-%dT%H:%M:%S.%fZ') ~ "'") -%}
    {%- endif -%}
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

{% macro bigquery__raw_rows(table, columns, since, only) -%}
    {%- set conditions = [] -%}
    {%- if since and is_incremental() -%}
        {%- do conditions.append(since ~ ' > ' ~ seen_until(since)) -%}
    {%- endif -%}
    {%- if only -%}
        {%- do conditions.append(only.column ~ ' >= ' ~ days_ago(only.days)) -%}
    {%- endif -%}
    select
        {{ columns | join(',\n        ') }}
    from {{ source('raw', table) }}
    {% if conditions %}where {{ conditions | join(' and ') }}{% endif %}
{%- endmacro %}
