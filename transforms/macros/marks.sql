{#-
  What was done until the start, each kilometre and mile, half of the way and the end of recordings. `course_marks(relation)`: of points
  with place, second, distance_m, altitude_mm, heartrate_bpm, hold_s, is_moving and is_on_foot, one row per activity, kind and
  mark_index.

  A distance that falls is that of the point before. Heights are smoothed over 25 m to either side, slopes are between points at most 100 m to
  either side, and count on foot alone. A gap in the recording is a pause, but time in motion where the way went on at 0.5 m/s or more.
  DuckDB calls `marks.py`; BigQuery does the same here.
-#}
{% macro course_marks(relation) -%}
    {{ return(adapter.dispatch('course_marks')(relation)) }}
{%- endmacro %}

{% macro duckdb__course_marks(relation) -%}
    select
        activity_id,
        mark.kind,
        cast(mark.mark_index as int64) as mark_index,
        mark.distance_m,
        mark.elapsed_s,
        {%- for course in courses() %}
        mark.{{ course }},
        {%- endfor %}
        mark.altitude_m
    from (
        select
            activity_id,
            unnest(course_marks(list(point), is_on_foot, {{ grade_points() }})) as mark
        from (
            select
                activity_id,
                is_on_foot,
                struct_pack(place, second, hold_s, distance_m, altitude_mm, heartrate_bpm, is_moving) as point
            from {{ relation }}
        ) as packed
        group by activity_id, is_on_foot
    ) as opened
{%- endmacro %}

{% macro bigquery__course_marks(relation) -%}
    with courses as (
        select
            * except (distance_m),
            max(distance_m) over (
                partition by activity_id order by second, place rows between unbounded preceding and current row
            ) as distance_m
        from {{ relation }}
    ),

    smoothed as (
        select
            *,
            sum(altitude_mm) over around / nullif(count(altitude_mm) over around, 0) / 1000 as height_m
        from courses
        where is_on_foot
        window around as (partition by activity_id order by distance_m range between 25 preceding and 25 following)
    ),

    sloped as (
        select
            activity_id,
            place,
            (last_value(height_m) over stretch - first_value(height_m) over stretch)
            / nullif(last_value(distance_m) over stretch - first_value(distance_m) over stretch, 0) as grade
        from smoothed
        window stretch as (partition by activity_id order by distance_m range between 100 preceding and 100 following)
    ),

    followed as (
        select
            *,
            row_number() over seconds as number,
            lead(second) over seconds as next_second,
            lead(distance_m) over seconds as next_distance_m,
            lead(altitude_mm) over seconds as next_altitude_mm,
            max(distance_m) over (partition by activity_id) as total_m
        from courses
        window seconds as (partition by activity_id order by second, place)
    ),

    timed as (
        select
            *,
            case
                when not is_moving then 0
                when next_second > second and next_distance_m - distance_m >= 0.5 * (next_second - second)
                    then next_second - second
                else hold_s
            end as moved_s
        from followed
    ),

    -- what is done until the next point
    done as (
        select
            followed.*,
            coalesce(followed.next_second - followed.second, 0) as gap_s,
            coalesce(followed.next_distance_m - followed.distance_m, 0) as step_m,
            case
                when followed.is_moving and followed.is_on_foot and followed.next_second > followed.second
                    then
                        (followed.next_distance_m - followed.distance_m) * {{ grade_factor('sloped.grade') }}
                        * followed.moved_s / (followed.next_second - followed.second)
                else 0
            end as flat_m,
            case
                when followed.is_moving and followed.heartrate_bpm between 30 and 220 then followed.heartrate_bpm * followed.hold_s
                else 0
            end as beats,
            case when followed.is_moving and followed.heartrate_bpm between 30 and 220 then followed.hold_s else 0 end as beats_s
        from timed as followed
        left join sloped on followed.activity_id = sloped.activity_id and followed.place = sloped.place
    ),

    added as (
        select
            {%- for course in courses() %}
            sum({{ course }}) over until - {{ course }} as {{ course }}_before,
            {%- endfor %}
            *
        from done
        window until as (partition by activity_id order by number rows between unbounded preceding and current row)
    ),

    -- where a kilometre, a mile, half of the way, the first or the last point is
    passed as (
        select *
        from added
        where
            number = 1
            or next_second is null
            or floor(distance_m / 1000) < floor(next_distance_m / 1000)
            or floor(distance_m / 1609.344) < floor(next_distance_m / 1609.344)
            or (distance_m < total_m / 2 and total_m / 2 <= next_distance_m)
    ),

    kinds as (
        select
            passed.*,
            kind  -- noqa: RF02
        from passed
        {{ each("['start', 'metric', 'imperial', 'half', 'end']", 'kind') }}
    ),

    ranged as (
        select
            *,
            case kind
                when 'metric' then cast(floor(distance_m / 1000) as int64) + 1
                when 'imperial' then cast(floor(distance_m / 1609.344) as int64) + 1
                else 0
            end as first_index,
            case kind
                when 'metric' then cast(floor(next_distance_m / 1000) as int64)
                when 'imperial' then cast(floor(next_distance_m / 1609.344) as int64)
                when 'start' then case when number = 1 then 0 else -1 end
                when 'half' then case when distance_m < total_m / 2 and total_m / 2 <= next_distance_m then 0 else -1 end
                when 'end' then case when next_second is null then 0 else -1 end
            end as last_index
        from kinds
    ),

    numbered as (
        select
            ranged.*,
            mark_index  -- noqa: RF02
        from ranged
        {{ each(whole_numbers('ranged.first_index', 'ranged.last_index'), 'mark_index') }}
        where ranged.last_index is not null
    ),

    placed as (
        select
            *,
            case kind
                when 'metric' then mark_index * 1000
                when 'imperial' then mark_index * 1609.344
                when 'half' then total_m / 2
                else distance_m
            end as mark_m
        from numbered
    ),

    shared as (
        select
            *,
            case when kind in ('start', 'end') then 0 else (mark_m - distance_m) / step_m end as share
        from placed
    )

    select
        activity_id,
        kind,
        cast(mark_index as int64) as mark_index,
        {{ as_double('mark_m') }} as distance_m,
        second + share * gap_s as elapsed_s,
        {%- for course in courses() %}
        {{ course }}_before + share * {{ course }} as {{ course }},
        {%- endfor %}
        (altitude_mm + share * (coalesce(next_altitude_mm, altitude_mm) - altitude_mm)) / 1000 as altitude_m
    from shared
{%- endmacro %}
