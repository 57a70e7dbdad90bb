{#- First day of the day, week (ISO, Monday), month, quarter or year of a date. -#}
{% macro period_start(period, day) -%}
    {{ return(adapter.dispatch('period_start')(period, day)) }}
{%- endmacro %}

{% macro duckdb__period_start(period, day) -%}
    cast(date_trunc('{{ period }}', {{ day }}) as date)
{%- endmacro %}

{% macro bigquery__period_start(period, day) -%}
    date_trunc({{ day }}, {{ 'isoweek' if period == 'week' else period }})
{%- endmacro %}


{#- Last day of the period that begins on a date. -#}
{% macro period_end(period, first_day) -%}
    {{ return(adapter.dispatch('period_end')(period, first_day)) }}
{%- endmacro %}

{% macro duckdb__period_end(period, first_day) -%}
    cast({{ first_day }} + interval 1 {{ period }} - interval 1 day as date)
{%- endmacro %}

{% macro bigquery__period_end(period, first_day) -%}
    date_sub(date_add({{ first_day }}, interval 1 {{ period }}), interval 1 day)
{%- endmacro %}


{#- Every date from one to another, both included, as an array to unnest. -#}
{% macro dates_between(first_day, last_day) -%}
    {{ return(adapter.dispatch('dates_between')(first_day, last_day)) }}
{%- endmacro %}

{% macro duckdb__dates_between(first_day, last_day) -%}
    cast(generate_series({{ first_day }}, {{ last_day }}, interval 1 day) as date[])
{%- endmacro %}

{% macro bigquery__dates_between(first_day, last_day) -%}
    generate_date_array({{ first_day }}, {{ last_day }})
{%- endmacro %}


{#- A number out of a date: year, month, day, quarter, doy, isoyear, isoweek, isodow (Monday is 1). -#}
{% macro date_number(part, day) -%}
    {{ return(adapter.dispatch('date_number')(part, day)) }}
{%- endmacro %}

{% macro duckdb__date_number(part, day) -%}
    extract({{ {'isoweek': 'week'}.get(part, part) }} from {{ day }})
{%- endmacro %}

{% macro bigquery__date_number(part, day) -%}
    {%- if part == 'isodow' -%}
        mod(extract(dayofweek from {{ day }}) + 5, 7) + 1
    {%- else -%}
        extract({{ {'doy': 'dayofyear'}.get(part, part) }} from {{ day }})
    {%- endif -%}
{%- endmacro %}


{#- Days, ISO weeks or months counted through: a date in the next one has the next number. -#}
{% macro period_number(period, day) -%}
    {%- if period == 'month' -%}
        {{ date_number('year', day) }} * 12 + {{ date_number('month', day) }}
    {%- elif period == 'week' -%}
        cast(floor({{ days_between("date '1970-01-05'", day) }} / 7) as int64)
    {%- else -%}
        {{ days_between("date '1970-01-05'", day) }}
    {%- endif -%}
{%- endmacro %}


{#- How many days later the last one is. -#}
{% macro days_between(first_day, last_day) -%}
    {{ return(adapter.dispatch('days_between')(first_day, last_day)) }}
{%- endmacro %}

{% macro duckdb__days_between(first_day, last_day) -%}
    date_diff('day', {{ first_day }}, {{ last_day }})
{%- endmacro %}

{% macro bigquery__days_between(first_day, last_day) -%}
    date_diff({{ last_day }}, {{ first_day }}, day)
{%- endmacro %}


{#- The day of the same month and number a year before; of 29 February it is the 28th. -#}
{% macro same_day_last_year(day) -%}
    {{ return(adapter.dispatch('same_day_last_year')(day)) }}
{%- endmacro %}

{% macro duckdb__same_day_last_year(day) -%}
    cast({{ day }} - interval 1 year as date)
{%- endmacro %}

{% macro bigquery__same_day_last_year(day) -%}
    date_sub({{ day }}, interval 1 year)
{%- endmacro %}


{#- The date so many days after one. -#}
{% macro days_later(day, days) -%}
    {{ return(adapter.dispatch('days_later')(day, days)) }}
{%- endmacro %}

{% macro duckdb__days_later(day, days) -%}
    {{ day }} + cast({{ days }} as integer)
{%- endmacro %}

{% macro bigquery__days_later(day, days) -%}
    date_add({{ day }}, interval {{ days }} day)
{%- endmacro %}
