{{ config(cluster_by=['athlete_id']) }}

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

-- one that lasts beyond midnight meets those of the next days, too
lasting as (
    select
        activities.*,
        activities.start_day + days_on as met_day  -- noqa: RF02
    from activities
    {{ each(whole_numbers(0, 'least(1 + ' ~ whole_quotient('activities.elapsed_time_s', '86400') ~ ', 8)'), 'days_on') }}
),

-- the second begins while the first lasts
pairs as (
    select
        one.athlete_id,
        one.activity_id as one_id,
        other.activity_id as other_id,
        least(one.elapsed_time_s - {{ seconds_between('one.start_at', 'other.start_at') }}, other.elapsed_time_s) as overlap_s,
        least(one.elapsed_time_s, other.elapsed_time_s) as shorter_s
    from lasting as one
    inner join activities as other
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
    where overlap_s * 2 >= shorter_s
),

final as (
    select
        athlete_id,
        one_id as activity_id,
        other_id as other_activity_id,
        overlap_s,
        overlap_s / shorter_s as overlap_share
    from found
    union all
    select
        athlete_id,
        other_id as activity_id,
        one_id as other_activity_id,
        overlap_s,
        overlap_s / shorter_s as overlap_share
    from found
)

select * from final
