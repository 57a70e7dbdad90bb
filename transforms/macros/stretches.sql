{#-
  The fastest stretches of recordings, by the clock. `fastest_stretches(relation)`: of rows per stream key, as staging has them, with the sport group,
  the activity with length_m, begin_s and elapsed_s, to a thousandth of a second, and has_jump, for each length of its group in `effort_lengths` that the
  recording is as long as.

  A fastest stretch begins or ends at a point; its other end lies in a straight line between two. A distance that falls is that of the point
  before; a rest at either end is none of it; of equals it is the earliest. DuckDB calls `stretches.py`; BigQuery does the same here.
-#}
{% macro effort_lengths() -%}
    {{ return({
        'ride': {
            '5 mile': 8046.72, '10K': 10000, '10 mile': 16093.44, '20K': 20000, '30K': 30000, '40K': 40000, '50K': 50000, '80K': 80000,
            '50 mile': 80467.2, '90K': 90000, '100K': 100000, '100 mile': 160934.4,
        },
        'run': {
            '400m': 400, '1/2 mile': 804.672, '1K': 1000, '1 mile': 1609.344, '2 mile': 3218.688, '5K': 5000, '10K': 10000, '15K': 15000,
            '10 mile': 16093.44, '20K': 20000, 'Half-Marathon': 21097.5, '30K': 30000, 'Marathon': 42195, '50K': 50000,
        },
    }) }}
{%- endmacro %}

{% macro fastest_stretches(relation) -%}
    {{ return(adapter.dispatch('fastest_stretches')(relation)) }}
{%- endmacro %}

{% macro duckdb__fastest_stretches(relation) -%}
    select
        activity_id,
        found.length_m,
        found.begin_s,
        found.elapsed_s,
        found.has_jump
    from (
        select
            activity_id,
            unnest(fastest_stretches(seconds, metres, lengths)) as found
        from (
            select
                activity_id,
                case any_value(sport_group)
                    {%- for group, lengths in effort_lengths().items() %}
                    when '{{ group }}' then cast({{ lengths.values() | list }} as double[])
                    {%- endfor %}
                end as lengths,
                any_value(readings) filter (where stream_key = 'time') as seconds,
                any_value(readings) filter (where stream_key = 'distance') as metres
            from {{ relation }}
            group by activity_id
        ) as arrays
        where
            seconds is not null
            and metres is not null
    ) as opened
{%- endmacro %}

{% macro bigquery__fastest_stretches(relation) -%}
    {%- set way = 'partition by activity_id order by metres' %}
    {%- set lengths = (effort_lengths().ride.values() | list + effort_lengths().run.values() | list) | unique | list %}
    with points as (
        select
            activity_id,
            place,
            floor(time_s + 0.5) as second,
            max(distance_m) over (
                partition by activity_id order by floor(time_s + 0.5), place
                rows between unbounded preceding and current row
            ) as metres
        from ({{ sample_rows(relation) }})
        where
            time_s between 0 and 604800
            and distance_m between 0 and 10000000
    ),

    steps as (
        select
            *,
            coalesce(metres - lag(metres) over seconds > 100 * greatest(second - lag(second) over seconds, 1), false) as is_jump
        from points
        window seconds as (partition by activity_id order by second, place)
    ),

    ends as (
        select
            activity_id,
            metres,
            min(second) as first_s,
            max(second) as last_s,
            logical_or(is_jump) as is_jump
        from steps
        group by activity_id, metres
    ),

    ways as (
        select
            *,
            logical_or(is_jump) over (partition by activity_id) as has_jump,
            (first_s - lag(last_s) over way) / (metres - lag(metres) over way) as pace_before,
            (lead(first_s) over way - last_s) / (lead(metres) over way - metres) as pace_after
        from ends
        window way as ({{ way }})
    )

    select
        activity_id,
        max(length_m) as length_m,
        min(begin_ms) / 1000 as begin_s,
        min(elapsed_ms) / 1000 as elapsed_s,
        logical_or(has_jump) as has_jump
    from (
        select
            *,
            min(elapsed_ms) over (partition by activity_id, length_number) as least_ms
        from (
            {%- for length in lengths %}
            {%- set number, is_last = loop.index, loop.last %}
            {%- for from_point in [true, false] %}
            select
                activity_id,
                {{ number }} as length_number,
                cast({{ length }} as float64) as length_m,
                has_jump,
                {%- if from_point %}
                round(last_s * 1000) as begin_ms,
                round((other.first_s - (other.metres - metres - {{ length }}) * other.pace_before - last_s) * 1000) as elapsed_ms
                {%- else %}
                round((other.last_s + (metres - {{ length }} - other.metres) * other.pace_after) * 1000) as begin_ms,
                round((first_s - other.last_s - (metres - {{ length }} - other.metres) * other.pace_after) * 1000) as elapsed_ms
                {%- endif %}
            from (
                select
                    *,
                    {%- if from_point %}
                    first_value(struct(metres, first_s, pace_before)) over (
                        {{ way }} range between {{ length }} following and unbounded following
                    ) as other
                    {%- else %}
                    last_value(struct(metres, last_s, pace_after)) over (
                        {{ way }} range between unbounded preceding and {{ length }} preceding
                    ) as other
                    {%- endif %}
                from ways
            )
            where other is not null
            {%- if from_point or not is_last %}
            union all
            {%- endif %}
            {%- endfor %}
            {%- endfor %}
        )
    )
    where elapsed_ms = least_ms
    group by activity_id, length_number
{%- endmacro %}
