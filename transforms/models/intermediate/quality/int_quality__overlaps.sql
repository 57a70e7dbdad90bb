{{
    config(
        materialized=built_in_parts(),
        unique_key=['activity_id', 'other_activity_id'],
        on_schema_change='fail',
        pre_hook="{{ forgotten_where(is_touched('kept')) }}",
        cluster_by=['athlete_id'],
        tags=['measures_only'],
    )
}}

with activities as (
    select
        athlete_id,
        activity_id,
        start_at,
        elapsed_time_s,
        {{ days_between("cast('1970-01-01' as date)", 'cast(start_at as date)') }} as start_day
    from {{ ref('fct_activities') }}
    where
        elapsed_time_s > 0
        and not is_elapsed_time_implausible
        and not has_hidden_start_time
),

{% if is_incremental() -%}
-- the days on which what overlaps with a changed activity starts
near_days as (
    select distinct
        activities.athlete_id,
        activities.start_day + days_on as start_day  -- noqa: RF02
    from activities
    {{ each(whole_numbers(-8, 8), 'days_on') }}
    where {{ is_changed('activities.activity_id') }}
),

{% endif -%}
looked_at as (
    select activities.*
    from activities
    {%- if is_incremental() %}
    inner join near_days
        on
            activities.athlete_id = near_days.athlete_id
            and activities.start_day = near_days.start_day
    {%- endif %}
),

-- one that lasts beyond midnight meets those of the next days, too
lasting as (
    select
        looked_at.*,
        looked_at.start_day + days_on as met_day  -- noqa: RF02
    from looked_at
    {{ each(whole_numbers(0, 'least(1 + ' ~ whole_quotient('looked_at.elapsed_time_s', '86400') ~ ', 8)'), 'days_on') }}
),

-- the second begins while the first lasts
pairs as (
    select
        one.athlete_id,
        one.activity_id,
        other.activity_id as other_activity_id,
        least(one.elapsed_time_s - {{ seconds_between('one.start_at', 'other.start_at') }}, other.elapsed_time_s) as overlap_s,
        least(one.elapsed_time_s, other.elapsed_time_s) as shorter_s
    from lasting as one
    inner join looked_at as other
        on
            one.athlete_id = other.athlete_id
            and one.met_day = other.start_day
            and one.activity_id != other.activity_id
            and (
                one.start_at < other.start_at
                or (one.start_at = other.start_at and one.activity_id < other.activity_id)
            )
),

found as (
    select * from pairs
    where
        overlap_s * 2 >= shorter_s
        and {{ is_touched('pairs') }}
),

final as (
    select
        athlete_id,
        activity_id,
        other_activity_id,
        overlap_s,
        overlap_s / shorter_s as overlap_share
    from found
    union all
    select
        athlete_id,
        other_activity_id as activity_id,
        activity_id as other_activity_id,
        overlap_s,
        overlap_s / shorter_s as overlap_share
    from found
)

select * from final
