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


{#-
  How many seconds east of UTC each athlete is now, as far as is known: in the zone of the newest activity that has begun and tells
  its offset, by the clock of today and not of that day; where nobody knows the zone, that offset; UTC where no activity tells any.
-#}
{% macro newest_offsets(activities) -%}
    select
        athlete_id,
        coalesce({{ zone_offset_s(as_of(), 'timezone_name') }}, utc_offset_s, 0) as utc_offset_s
    from (
        select
            activities.athlete_id,
            activities.timezone_name,
            activities.utc_offset_s,
            row_number() over (
                partition by activities.athlete_id
                order by activities.utc_offset_s is null, activities.start_at desc nulls last, activities.activity_id desc
            ) as place
        from {{ activities }} as activities
        inner join (
            select
                athlete_id,
                {#- of all, to put few in order #}
                max(case when utc_offset_s is not null then start_at end) as newest_at
            from {{ activities }}
            where {{ day_has_come() }}
            group by athlete_id
        ) as newest
            on
                activities.athlete_id = newest.athlete_id
                and (newest.newest_at is null or activities.start_at = newest.newest_at)
        where {{ day_has_come() }}
    ) as placed
    where place = 1
{%- endmacro %}


{#- Seconds east of UTC in a zone at a moment, summer time included; null where the engine does not know the zone. -#}
{% macro zone_offset_s(moment, zone) -%}
    {{ return(adapter.dispatch('zone_offset_s')(moment, zone)) }}
{%- endmacro %}

{% macro duckdb__zone_offset_s(moment, zone) -%}
    case
        when {{ zone }} in (select name from pg_timezone_names())
            then date_diff('second', {{ moment }}, timezone({{ zone }}, timezone('UTC', {{ moment }})))
    end
{%- endmacro %}

{% macro bigquery__zone_offset_s(moment, zone) -%}
    datetime_diff(safe.datetime({{ moment }}, {{ zone }}), datetime({{ moment }}), second)
{%- endmacro %}


{#- An activity counts from the day that it is dated, where it was. One without a date never does. -#}
{% macro day_has_come() -%}
    start_date_local <= {{ local_date(as_of(), 'coalesce(utc_offset_s, 0)') }}
{%- endmacro %}
