{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'place'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
    )
}}

with streams as (
    select
        activity_id,
        athlete_id,
        stream_key,
        readings
    from {{ ref('stg_strava__streams') }}
    where
        stream_key in (
            {%- for key in sampled_keys() %}
            '{{ key }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
        and {{ is_changed() }}
),

points as (
    {{ sample_rows('streams') }}
),

-- a week is the most that a recording lasts
timed as (
    select
        *,
        cast(round(time_s) as int64) as second
    from points
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
    from streams
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
),

final as (
    select
        followed.activity_id,
        followed.athlete_id,
        followed.place,
        followed.second,
        {{ hold_s('followed.gap_s', 'pauses.pause_s') }} as hold_s,
        {%- for column in sampled_keys().values() if column not in ['time_s', 'motion'] %}
        followed.{{ column }},
        {%- endfor %}
        coalesce(followed.next_motion = 1, true) as is_moving
    from followed
    inner join pauses on followed.activity_id = pauses.activity_id
)

select * from final
