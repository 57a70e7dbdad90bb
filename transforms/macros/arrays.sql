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


{#- The value at a quantile by nearest rank, among the rows where a condition holds and the value is known. -#}
{% macro nearest_rank(value, quantile, condition) -%}
    {{ return(adapter.dispatch('nearest_rank')(value, quantile, condition)) }}
{%- endmacro %}

{% macro duckdb__nearest_rank(value, quantile, condition) -%}
    quantile_disc({{ value }}, {{ quantile }}) filter (where {{ condition }})
{%- endmacro %}

{% macro bigquery__nearest_rank(value, quantile, condition) -%}
    array_agg(if({{ condition }}, {{ value }}, null) ignore nulls order by {{ value }})[
        safe_ordinal(cast(ceil({{ quantile }} * countif({{ condition }} and {{ value }} is not null)) as int64))
    ]
{%- endmacro %}


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
