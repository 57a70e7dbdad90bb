{#- No model has an index. Asking DuckDB for indexes also reads those of the attached pipeline file, and fails: its
    queue has partial ones, which DuckDB does not know. -#}
{% macro drop_indexes_on_relation(relation) -%}{%- endmacro %}
