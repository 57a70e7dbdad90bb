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


{#- What the clock shows at a moment that many seconds east of UTC. -#}
{% macro local_time(moment, offset_s) -%}
    {{ return(adapter.dispatch('local_time')(moment, offset_s)) }}
{%- endmacro %}

{% macro duckdb__local_time(moment, offset_s) -%}
    ({{ moment }} + to_seconds({{ offset_s }}))
{%- endmacro %}

{% macro bigquery__local_time(moment, offset_s) -%}
    datetime(timestamp_add({{ moment }}, interval {{ offset_s }} second))
{%- endmacro %}


{#- The calendar day there. -#}
{% macro local_date(moment, offset_s) -%}
    cast({{ local_time(moment, offset_s) }} as date)
{%- endmacro %}


{#- The offset of each athlete's newest activity that has one and has begun: where the athlete is, as far as is known. -#}
{% macro newest_offsets(activities) -%}
    select
        athlete_id,
        utc_offset_s
    from (
        select
            athlete_id,
            utc_offset_s,
            row_number() over (partition by athlete_id order by start_at desc nulls last, activity_id desc) as place
        from {{ activities }}
        where
            utc_offset_s is not null
            and {{ day_has_come() }}
    ) as placed
    where place = 1
{%- endmacro %}


{#- An activity counts from the day that it is dated, where it was. One without a date never does. -#}
{% macro day_has_come() -%}
    start_date_local <= {{ local_date(as_of(), 'coalesce(utc_offset_s, 0)') }}
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
