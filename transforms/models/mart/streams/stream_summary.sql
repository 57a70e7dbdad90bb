{% set definition_version = 3 %}
{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_streams() }}",
        incremental_predicates=merged_where("is_changed_in_streams('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'activity_id'],
        meta={'definition_version': definition_version},
    )
}}

with inputs as (
    select
        *,
        sport_group in ('run', 'walk') or sport_type = 'Snowshoe' as is_on_foot,
        {{ most_power_w() }} as most_w
    from {{ ref('int_streams__inputs') }}
    where {{ is_changed_in_streams() }}
),

lasts as (
    select
        activity_id,
        max(second) as last_second
    from {{ ref('int_streams__samples') }}
    where {{ is_changed_in_streams() }}
    group by activity_id
),

samples as (
    select
        samples.*,
        inputs.is_power_measured,
        inputs.most_w,
        inputs.max_heartrate_bpm,
        lasts.last_second
    from {{ ref('int_streams__samples') }} as samples
    inner join inputs on samples.activity_id = inputs.activity_id
    inner join lasts on samples.activity_id = lasts.activity_id
    where {{ is_changed_in_streams('samples.activity_id') }}
),

marks as (
    select * from {{ ref('int_streams__marks') }}
    where {{ is_changed_in_streams() }}
),

-- effort is power where that was measured, else speed
efforts as (
    select
        *,
        case
            when not is_power_measured then speed_mps
            when power_w <= most_w then power_w
        end as effort
    from samples
),

halved as (
    select
        *,
        case
            when is_moving and effort >= 0 and heartrate_bpm between 30 and 220
                then case when second * 2 < last_second + 1 then 'first' else 'second' end
        end as half
    from efforts
),

summed as (
    select
        activity_id,
        max(last_second) as last_second,
        sum(case when is_moving then hold_s else 0 end) as moving_s,
        sum(
            case
                when heartrate_bpm < 30 or heartrate_bpm > least(220, coalesce(max_heartrate_bpm + 10, 220)) then hold_s
                else 0
            end
        ) as heartrate_suspect_s,
        {%- for half in ['first', 'second'] %}
        {{ exact_sum("case half when '" ~ half ~ "' then effort * hold_s end") }}
        / nullif({{ exact_sum("case half when '" ~ half ~ "' then heartrate_bpm * hold_s end") }}, 0) as {{ half }}_efficiency,
        {%- endfor %}
        {{ exact_sum('case when is_moving and cadence_rpm > 0 then cadence_rpm * hold_s end') }}
        / nullif(sum(case when is_moving and cadence_rpm > 0 then hold_s end), 0) as cadence_rpm
    from halved
    group by activity_id
),

-- how long which heart rate was held; many seconds have the same
held as (
    select
        activity_id,
        heartrate_bpm,
        sum(hold_s) as recorded_s,
        sum(case when is_moving then hold_s else 0 end) as moving_s
    from samples
    where heartrate_bpm between 30 and 220
    group by activity_id, heartrate_bpm
),

counted as (
    select
        held.activity_id,
        held.heartrate_bpm,
        case when summed.moving_s > 0 then held.moving_s else held.recorded_s end as seconds,
        inputs.sex,
        inputs.resting_heartrate_bpm,
        inputs.max_heartrate_bpm
    from held
    inner join summed on held.activity_id = summed.activity_id
    inner join inputs on held.activity_id = inputs.activity_id
),

hearts as (
    select
        activity_id,
        {{ exact_sum('heartrate_bpm * seconds') }} / nullif(sum(seconds), 0) as average_heartrate_bpm,
        sum(seconds) as heartrate_s,
        {% set impulse = trimp('(seconds / 60.0)', 'heartrate_bpm') -%}
        {{ exact_sum('case when max_heartrate_bpm > resting_heartrate_bpm then ' ~ impulse ~ ' end', scale=9) }} as trimp
    from counted
    group by activity_id
),

ways as (
    select
        activity_id,
        {%- for course in ['elapsed_s', 'moved_s', 'flat_m', 'altitude_m'] %}
        {%- for kind in ['start', 'half', 'end'] %}
        max(case when kind = '{{ kind }}' then {{ course }} end) as {{ course }}_at_{{ kind }},
        {%- endfor %}
        {%- endfor %}
        count(*) as mark_count
    from marks
    group by activity_id
),

final as (
    select
        inputs.athlete_id,
        summed.activity_id,
        cast(summed.last_second + 1 as int64) as recorded_s,
        cast(summed.moving_s as int64) as moving_s,
        hearts.average_heartrate_bpm,
        cast(coalesce(hearts.heartrate_s, 0) as int64) as heartrate_s,
        cast(summed.heartrate_suspect_s as int64) as heartrate_suspect_s,
        hearts.trimp,
        watts.average_power_w,
        watts.normalised_power_w,
        case when inputs.is_on_foot then 2 else 1 end * summed.cadence_rpm as cadence_per_min,
        case
            when ways.flat_m_at_end > 0 and ways.altitude_m_at_end is not null
                then ways.flat_m_at_end / nullif(ways.moved_s_at_end, 0)
        end as grade_adjusted_speed_mps,
        ways.elapsed_s_at_half - ways.elapsed_s_at_start as first_half_s,
        ways.elapsed_s_at_end - ways.elapsed_s_at_half as second_half_s,
        (ways.elapsed_s_at_end - 2 * ways.elapsed_s_at_half + ways.elapsed_s_at_start)
        / nullif(ways.elapsed_s_at_half - ways.elapsed_s_at_start, 0) * 100 as split_change_pct,
        case
            when summed.moving_s >= 2400 and summed.moving_s >= 0.9 * (summed.last_second + 1)
                then (summed.first_efficiency - summed.second_efficiency) / nullif(summed.first_efficiency, 0) * 100
        end as decoupling_pct,
        cast({{ definition_version }} as int64) as definition_version
    from summed
    inner join inputs on summed.activity_id = inputs.activity_id
    left join hearts on summed.activity_id = hearts.activity_id
    left join ways on summed.activity_id = ways.activity_id
    left join {{ ref('int_streams__power') }} as watts
        on summed.activity_id = watts.activity_id and {{ is_changed_in_streams('watts.activity_id') }}
)

select * from final
