{% set definition_version = 1 %}
{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'duration_s'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_streams() }}",
        incremental_predicates=merged_where("is_changed_in_streams('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'activity_id'],
        meta={'definition_version': definition_version},
    )
}}

with inputs as (
    select * from {{ ref('int_streams__inputs') }}
    where {{ is_changed_in_streams() }}
),

peaks as (
    select * from {{ ref('int_streams__power') }}
    where {{ is_changed_in_streams() }}
),

best as (
    select
        peaks.activity_id,
        peaks.dropped_count,
        duration_s,  -- noqa: RF02
        case duration_s  -- noqa: RF02
            {%- for duration in curve_durations() %}
            when {{ duration }} then peaks.done_{{ duration }}
            {%- endfor %}
        end / duration_s / 1000 as window_power_w  -- noqa: RF02
    from peaks
    {{ each('[' ~ curve_durations() | join(', ') ~ ']', 'duration_s') }}
    where duration_s <= peaks.recorded_s  -- noqa: RF02
),

final as (
    select
        inputs.athlete_id,
        best.activity_id,
        cast(best.duration_s as int64) as duration_s,
        best.window_power_w,
        max(best.window_power_w) over (
            partition by best.activity_id
            order by best.duration_s
            rows between current row and unbounded following
        ) as power_w,
        inputs.weight_kg,
        cast(best.dropped_count as int64) as dropped_count,
        inputs.sport_group,
        inputs.is_assisted,
        inputs.start_date_local,
        cast({{ definition_version }} as int64) as definition_version
    from best
    inner join inputs on best.activity_id = inputs.activity_id
)

select * from final
