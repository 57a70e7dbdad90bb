{#-
  A sum of floats that is the same in any order of rows, on either engine: 195722.9, not 195722.90000000002. Decimals to a millionth
  add up exactly; their sum is a float again. `window` is an over clause.
-#}
{% macro exact_sum(value, window='') -%}
    cast(
        sum(cast({{ value }} as decimal(35, 6))) {{ window }}
        as {{ 'float64' if target.type == 'bigquery' else 'double' }}
    )
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
