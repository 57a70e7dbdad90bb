{#-
  A sum of floats that is the same in any order of rows, on either engine: 195722.9, not 195722.90000000002. Decimals of so many digits
  behind the point add up exactly; their sum is a float again. `window` is an over clause. With six digits a value may have 29 before
  the point, with nine as well.
-#}
{% macro exact_sum(value, window='', scale=6) -%}
    cast(
        sum(cast({{ value }} as decimal({{ 29 + scale }}, {{ scale }}))) {{ window }}
        as {{ 'float64' if target.type == 'bigquery' else 'double' }}
    )
{%- endmacro %}


{#- The value at a quantile by nearest rank, among those that are known. -#}
{% macro nearest_rank(value, quantile) -%}
    {{ return(adapter.dispatch('nearest_rank')(value, quantile)) }}
{%- endmacro %}

{% macro duckdb__nearest_rank(value, quantile) -%}
    quantile_disc({{ value }}, {{ quantile }})
{%- endmacro %}

{% macro bigquery__nearest_rank(value, quantile) -%}
    array_agg({{ value }} ignore nulls order by {{ value }})[
        safe_ordinal(cast(ceil({{ quantile }} * count({{ value }})) as int64))
    ]
{%- endmacro %}


{#- In which fifth of the athlete's and group's days with anything a day is, by how many of them have less: 1 … 5; 0 without anything. -#}
{% macro fifth_of_days(column) -%}
    {%- set alike = 'partition by athlete_id, sport_group, ' ~ column ~ ' > 0' -%}
    case
        when {{ column }} > 0
            then
                1 + cast(floor(
                    5 * (rank() over ({{ alike }} order by {{ column }} asc) - 1) / count(*) over ({{ alike }})
                ) as int64)
        else 0
    end
{%- endmacro %}


{#- How many times a whole number goes into another, without a rest. -#}
{% macro whole_quotient(number, divisor) -%}
    {{ return(adapter.dispatch('whole_quotient')(number, divisor)) }}
{%- endmacro %}

{% macro duckdb__whole_quotient(number, divisor) -%}
    {{ number }} // {{ divisor }}
{%- endmacro %}

{% macro bigquery__whole_quotient(number, divisor) -%}
    div({{ number }}, {{ divisor }})
{%- endmacro %}


{#- A sum of one of the measures of a day: whole numbers stay whole, others add up exactly. -#}
{% macro total(measure, window='') -%}
    {%- if measure in ['activity_count', 'moving_time_s', 'elapsed_time_s'] -%}
        cast(sum({{ measure }}) {{ window }} as int64)
    {%- else -%}
        {{ exact_sum(measure, window) }}
    {%- endif -%}
{%- endmacro %}


{#- Rows per athlete, sport group and day as they are, and for each day one more with the group `all`: every sport added up. -#}
{% macro with_every_sport(days, measures) -%}
    select
        athlete_id,
        sport_group,
        date_day,
        {{ measures | join(',\n        ') }}
    from {{ days }}
    union all
    select
        athlete_id,
        'all' as sport_group,
        date_day
        {%- for measure in measures %},
        {{ total(measure) }} as {{ measure }}
        {%- endfor %}
    from {{ days }}
    group by athlete_id, date_day
{%- endmacro %}
