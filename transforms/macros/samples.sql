{#-
  The recorded points of activities, of rows per stream key as staging has them: one row per activity and point, with its second, how long it
  stands for, whether it moves until the next, and each of the readings in a column; what was not recorded is null. DuckDB calls `samples.py`;
  BigQuery does the same here.
-#}
{% macro sampled_keys() -%}
    {{ return({
        'time': 'time_s', 'distance': 'distance_m', 'velocity_smooth': 'speed_mps', 'altitude': 'altitude_m',
        'heartrate': 'heartrate_bpm', 'cadence': 'cadence_rpm', 'watts': 'power_w', 'moving': 'motion',
    }) }}
{%- endmacro %}

{#- Those that are a column as they are. -#}
{% macro sampled_readings() -%}
    {%- set readings = sampled_keys() -%}
    {%- do readings.pop('time') -%}
    {%- do readings.pop('moving') -%}
    {{ return(readings) }}
{%- endmacro %}

{% macro recorded_samples(relation) -%}
    {{ return(adapter.dispatch('recorded_samples')(relation)) }}
{%- endmacro %}

{#- The arrays of an activity side by side, each opened once. -#}
{% macro duckdb__recorded_samples(relation) -%}
    {%- set readings = sampled_readings() %}
    select
        activity_id,
        athlete_id,
        place,
        point.second,
        point.hold_s,
        {%- for column in readings.values() %}
        case when not isnan({{ column }}) then {{ column }} end as {{ column }},
        {%- endfor %}
        point.is_moving
    from (
        select
            activity_id,
            athlete_id,
            generate_subscripts("time", 1) as place,
            unnest(recorded_points("time", coalesce(moving, []))) as point,
            {%- for key, column in readings.items() %}
            unnest("{{ key }}") as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            select
                activity_id,
                athlete_id,
                {%- for key in sampled_keys() %}
                any_value(readings) filter (where stream_key = '{{ key }}') as "{{ key }}"{{ ',' if not loop.last }}
                {%- endfor %}
            from {{ relation }}
            group by activity_id, athlete_id
        ) as arrays
    ) as points
    where point.second is not null
{%- endmacro %}

{% macro bigquery__recorded_samples(relation) -%}
    with timed as (
        select
            *,
            cast(round(time_s) as int64) as second
        from ({{ sample_rows(relation) }})
        where time_s between 0 and 604800
    ),

    followed as (
        select
            *,
            lead(second) over way - second as gap_s,
            -- what is said of a point is of the step to it
            case when lead(second) over way is null then motion else lead(motion) over way end as next_motion
        from timed
        window way as (partition by activity_id order by second, place)
    ),

    times as (
        select
            streams.activity_id,
            time_s - lag(time_s) over (partition by streams.activity_id order by time_s) as gap_s  -- noqa: RF02
        from {{ relation }} as streams
        {{ each('streams.readings', 'time_s') }}
        where
            streams.stream_key = 'time'
            and time_s between 0 and 604800  -- noqa: RF02
    ),

    pauses as (
        select
            activity_id,
            {{ pause_s('gap_s') }} as pause_s
        from times
        group by activity_id
    )

    select
        followed.activity_id,
        followed.athlete_id,
        followed.place,
        followed.second,
        {{ hold_s('followed.gap_s', 'pauses.pause_s') }} as hold_s,
        {%- for column in sampled_readings().values() %}
        followed.{{ column }},
        {%- endfor %}
        coalesce(followed.next_motion = 1, true) as is_moving
    from followed
    inner join pauses on followed.activity_id = pauses.activity_id
{%- endmacro %}

{#- The points before they are put in order, on BigQuery. -#}
{% macro sample_rows(relation) -%}
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
