{#-
  On-run-end, BigQuery: says that every table of a build is there, by a table of its own, whose metadata readers look at for free.
  DuckDB's marts are published as a file.
-#}
{% macro publish(results) -%}
    {%- set built = results | map(attribute='node') | map(attribute='name') | list -%}
    {%- set failed = results | selectattr('status', 'in', ['error', 'fail', 'partial success', 'runtime error']) | list -%}
    {%- if target.type == 'bigquery' and 'int_pipeline__build' in built and not failed -%}
        create or replace table {{ api.Relation.create(database=target.database, schema='mart', identifier='publication') }} as
        select {{ as_of() }} as started_at
    {%- endif -%}
{%- endmacro %}
