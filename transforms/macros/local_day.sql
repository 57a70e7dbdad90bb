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
