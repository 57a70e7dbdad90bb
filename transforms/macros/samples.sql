{#-
  The recorded points of activities. `sample_rows(relation)`: of rows per stream key, as staging has them, one row per activity and point,
  with the time and each of these readings in a column; what was not recorded is null.
-#}
{% macro sampled_keys() -%}
    {{ return({
        'time': 'time_s', 'distance': 'distance_m', 'velocity_smooth': 'speed_mps', 'altitude': 'altitude_m',
        'heartrate': 'heartrate_bpm', 'cadence': 'cadence_rpm', 'watts': 'power_w', 'moving': 'motion',
    }) }}
{%- endmacro %}

{% macro sample_rows(relation) -%}
    {{ return(adapter.dispatch('sample_rows')(relation)) }}
{%- endmacro %}

{#- The arrays of an activity side by side, each opened once. -#}
{% macro duckdb__sample_rows(relation) -%}
    {%- set columns = sampled_keys() %}
    select
        activity_id,
        athlete_id,
        place,
        {%- for column in columns.values() %}
        case when not isnan({{ column }}) then {{ column }} end as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            activity_id,
            athlete_id,
            generate_subscripts("time", 1) as place,
            {%- for key, column in columns.items() %}
            unnest("{{ key }}") as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            select
                activity_id,
                athlete_id,
                {%- for key in columns %}
                any_value(readings) filter (where stream_key = '{{ key }}') as "{{ key }}"{{ ',' if not loop.last }}
                {%- endfor %}
            from {{ relation }}
            group by activity_id, athlete_id
        ) as arrays
    ) as points
{%- endmacro %}

{% macro bigquery__sample_rows(relation) -%}
    {%- set columns = sampled_keys() %}
    select
        activity_id,
        athlete_id,
        place + 1 as place,
        {%- for key, column in columns.items() %}
        max(case when stream_key = '{{ key }}' and not is_nan(reading) then reading end) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    cross join unnest(readings) as reading with offset as place
    group by activity_id, athlete_id, place
{%- endmacro %}


{#- Seconds that a point stands for: until the next one, or one where a pause follows, or nothing. -#}
{% macro hold_s(gap_s, pause_s) -%}
    case when {{ gap_s }} <= coalesce({{ pause_s }}, 10) then {{ gap_s }} else 1 end
{%- endmacro %}

{#- After how many seconds without a point a recording paused, of the gaps between points. -#}
{% macro pause_s(gap_s) -%}
    greatest(10, 4 * {{ nearest_rank('case when ' ~ gap_s ~ ' > 0 then ' ~ gap_s ~ ' end', 0.5) }})
{%- endmacro %}


{#- Whether an activity's streams, or what the athlete's settings say of its day, changed; always on a full build. -#}
{% macro is_changed_in_streams(column='activity_id') -%}
    {{ return(is_one_of(ref('int_streams__changed_activities'), column)) }}
{%- endmacro %}

{% macro forget_changed_streams() -%}
    {{ return(forgotten_where(is_changed_in_streams())) }}
{%- endmacro %}


{#- Where zones begin, written as in `athlete_setting`, as an array of numbers. -#}
{% macro zone_starts(text) -%}
    {{ return(adapter.dispatch('zone_starts')(text)) }}
{%- endmacro %}

{% macro duckdb__zone_starts(text) -%}
    cast(string_split({{ text }}, ',') as double[])
{%- endmacro %}

{% macro bigquery__zone_starts(text) -%}
    array(select cast(start as float64) from unnest(split({{ text }}, ',')) as start)
{%- endmacro %}


{#- Seconds of which a power curve tells the best. -#}
{% macro curve_durations() -%}
    {{ return([
        1, 5, 10, 15, 30, 60, 120, 180, 240, 300, 390, 480, 720, 960, 1200, 1800, 2400, 3000, 3600, 5400, 7200, 10800,
    ]) }}
{%- endmacro %}


{#- The most power that is taken for a reading, by the weight of the day where one is known. -#}
{% macro most_power_w() -%}
    least(2500, coalesce(30 * nullif(weight_kg, 0), 2500))
{%- endmacro %}
