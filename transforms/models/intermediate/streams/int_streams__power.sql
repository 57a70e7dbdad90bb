{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_streams() }}",
        incremental_predicates=merged_where("is_changed_in_streams('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with inputs as (
    select
        *,
        {{ most_power_w() }} as most_w
    from {{ ref('int_streams__inputs') }}
    where
        is_power_measured
        and {{ is_changed_in_streams() }}
),

readings as (
    select
        samples.activity_id,
        samples.second,
        samples.place,
        samples.power_w,
        samples.power_w > inputs.most_w as is_dropped
    from {{ ref('int_streams__samples') }} as samples
    inner join inputs on samples.activity_id = inputs.activity_id
    where
        samples.power_w >= 0
        and {{ is_changed_in_streams('samples.activity_id') }}
),

dropped as (
    select
        activity_id,
        sum(case when is_dropped then 1 else 0 end) as dropped_count
    from readings
    group by activity_id
),

followed as (
    select
        activity_id,
        second,
        power_w,
        lead(second) over (partition by activity_id order by second, place) - second as gap_s
    from readings
    where not is_dropped
),

pauses as (
    select
        activity_id,
        {{ pause_s('gap_s') }} as pause_s
    from followed
    group by activity_id
),

-- a second a row, in thousandths of a watt, which add up exactly; of a pause no more than the longest duration
grid as (
    select
        followed.activity_id,
        followed.second + later as second,  -- noqa: RF02
        case
            when later < {{ hold_s('followed.gap_s', 'pauses.pause_s') }} then round(followed.power_w * 1000)  -- noqa: RF02
            else 0
        end as power_mw
    from followed
    inner join pauses on followed.activity_id = pauses.activity_id
    {{ each(whole_numbers('0', 'least(coalesce(followed.gap_s, 1), ' ~ curve_durations()[-1] ~ ') - 1'), 'later') }}
),

added as (
    select
        activity_id,
        second,
        power_mw,
        sum(power_mw) over (partition by activity_id order by second rows between unbounded preceding and current row) as done_mj
    from grid
),

windows as (
    select
        activity_id,
        power_mw,
        {%- for duration in curve_durations() %}
        done_mj - lag(done_mj, {{ duration }}, 0) over seconds as done_{{ duration }},
        {%- endfor %}
        -- from the thirtieth second on
        case
            when lag(power_mw, 29) over seconds is not null then (done_mj - lag(done_mj, 30, 0) over seconds) / 30000
        end as power_of_30_s
    from added
    window seconds as (partition by activity_id order by second)
),

peaks as (
    select
        activity_id,
        {%- for duration in curve_durations() %}
        max(done_{{ duration }}) as done_{{ duration }},
        {%- endfor %}
        count(*) as recorded_s,
        sum(power_mw) / (1000 * count(*)) as average_power_w,
        {{ exact_sum('power_of_30_s * power_of_30_s * power_of_30_s * power_of_30_s') }}
        / nullif(count(power_of_30_s), 0) as fourth_power
    from windows
    group by activity_id
),

final as (
    select
        peaks.activity_id,
        peaks.recorded_s,
        dropped.dropped_count,
        {%- for duration in curve_durations() %}
        peaks.done_{{ duration }},
        {%- endfor %}
        peaks.average_power_w,
        power(peaks.fourth_power, 0.25) as normalised_power_w
    from peaks
    inner join dropped on peaks.activity_id = dropped.activity_id
)

select * from final
