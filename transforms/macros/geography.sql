{#- A place on earth: GEOGRAPHY on BigQuery, a struct on DuckDB. -#}
{% macro place(latitude, longitude) -%}
    {{ return(adapter.dispatch('place')(latitude, longitude)) }}
{%- endmacro %}

{% macro duckdb__place(latitude, longitude) -%}
    case
        when {{ latitude }} is not null and {{ longitude }} is not null
            then struct_pack(latitude := {{ latitude }}, longitude := {{ longitude }})
    end
{%- endmacro %}

{% macro bigquery__place(latitude, longitude) -%}
    st_geogpoint({{ longitude }}, {{ latitude }})
{%- endmacro %}
