{#- Now: one moment for the whole build, its start. The var `as_of` takes its place in tests and when a past state is asked for. -#}
{% macro as_of() -%}
    cast('{{ as_of_moment().strftime('%Y-%m-%d %H:%M:%S.%f') }}' as timestamp)
{%- endmacro %}

{% macro as_of_moment() -%}
    {{ return(modules.datetime.datetime.fromisoformat(var('as_of')) if var('as_of') else run_started_at) }}
{%- endmacro %}


{#- The timestamp some days before now. -#}
{% macro days_ago(days) -%}
    cast('{{ (as_of_moment() - modules.datetime.timedelta(days=days)).strftime('%Y-%m-%d %H:%M:%S.%f') }}' as timestamp)
{%- endmacro %}


{#- Seconds from one timestamp to another, with their fraction. -#}
{% macro seconds_between(start, stop) -%}
    {{ return(adapter.dispatch('seconds_between')(start, stop)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(start, stop) -%}
    (epoch_us({{ stop }}) - epoch_us({{ start }})) / 1000000.0::double
{%- endmacro %}

{% macro bigquery__seconds_between(start, stop) -%}
    timestamp_diff({{ stop }}, {{ start }}, microsecond) / 1000000
{%- endmacro %}
