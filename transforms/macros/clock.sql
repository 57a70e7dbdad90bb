{#- Now: one moment for the whole build, its start. The var `as_of` takes its place in tests and when a past state is asked for. -#}
{% macro as_of() -%}
    {{ days_ago(0) }}
{%- endmacro %}

{% macro as_of_moment() -%}
    {{ return(modules.datetime.datetime.fromisoformat(var('as_of')) if var('as_of') else run_started_at) }}
{%- endmacro %}


{#- The timestamp some days before now. -#}
{% macro days_ago(days) -%}
    cast('{{ moment_days_ago(days, '%Y-%m-%d %H:%M:%S.%f') }}' as timestamp)
{%- endmacro %}

{% macro moment_days_ago(days, form) -%}
    {%- if is_script() -%}
        {{ return('<<as_of:' ~ days ~ '>>') }}
    {%- endif -%}
    {{ return((as_of_moment() - modules.datetime.timedelta(days=days)).strftime(form)) }}
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


{#- A moment so many whole seconds later. -#}
{% macro seconds_after(start, seconds) -%}
    {{ return(adapter.dispatch('seconds_after')(start, seconds)) }}
{%- endmacro %}

{% macro duckdb__seconds_after(start, seconds) -%}
    ({{ start }} + to_seconds(cast(round({{ seconds }}) as bigint)))
{%- endmacro %}

{% macro bigquery__seconds_after(start, seconds) -%}
    timestamp_add({{ start }}, interval cast(round({{ seconds }}) as int64) second)
{%- endmacro %}


{#-
  On-run-end: writes into `int_pipeline__build` when the build ended, which no model can know. Its marts are published
  soon after, which the next build reads from `transform_runs`.
-#}
{% macro stamp_build(results) -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node')
        | selectattr('name', 'equalto', 'int_pipeline__build') | list -%}
    {%- for node in built if not is_script() -%}
        {%- set now = as_of_moment() if var('as_of') else modules.datetime.datetime.now(modules.pytz.utc) -%}
        {%- set build = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {{ stamped_build(build, now.strftime('%Y-%m-%d %H:%M:%S.%f')) }}
    {%- endfor -%}
{%- endmacro %}

{% macro stamped_build(build, now) -%}
    {%- set stamped -%}
        update {{ build }} set finished_at = cast('{{ now }}' as timestamp) where true
    {%- endset -%}
    {{ return(stamped) }}
{%- endmacro %}
