{% set definition_version = 2 %}
{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'kind', 'zone'],
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
        {{ most_power_w() }} as most_w
    from {{ ref('int_streams__inputs') }}
    where {{ is_changed_in_streams() }}
),

samples as (
    select
        samples.*,
        inputs.sport_group,
        inputs.is_power_measured,
        inputs.most_w
    from {{ ref('int_streams__samples') }} as samples
    inner join inputs on samples.activity_id = inputs.activity_id
    where {{ is_changed_in_streams('samples.activity_id') }}
),

-- how long which value was held; many seconds have the same
held as (
    {%- for kind, value, condition in [
        ('heart_rate', 'heartrate_bpm', 'heartrate_bpm between 30 and 220'),
        ('power', 'power_w', 'is_power_measured and power_w between 0 and most_w'),
        ('pace', 'speed_mps', "sport_group in ('run', 'walk', 'swim') and speed_mps between 0 and 100"),
    ] %}
    select
        activity_id,
        '{{ kind }}' as kind,
        {{ value }} as value,
        sum(hold_s) as recorded_s,
        sum(case when is_moving then hold_s else 0 end) as moving_s
    from samples
    where {{ condition }}
    group by activity_id, {{ value }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

measured as (
    select
        activity_id,
        kind,
        sum(moving_s) as moving_s
    from held
    group by activity_id, kind
),

starts as (
    {%- for kind, zones in {'heart_rate': 'heartrate_zones', 'power': 'power_zones'}.items() %}
    select
        inputs.activity_id,
        '{{ kind }}' as kind,
        inputs.{{ zones }}_source as bounds_source,
        start  -- noqa: RF02
    from inputs
    {{ each(zone_starts('inputs.' ~ zones), 'start') }}
    where inputs.{{ zones }} is not null
    union all
    {%- endfor %}
    {%- for kind, source, bound, percents, condition in [
        (
            'heart_rate', 'heart_rate_reserve',
            'inputs.resting_heartrate_bpm + percent * (inputs.max_heartrate_bpm - inputs.resting_heartrate_bpm) / 100', [50, 60, 70, 80, 90],
            'inputs.heartrate_zones is null and inputs.max_heartrate_bpm > inputs.resting_heartrate_bpm'
        ),
        (
            'power', 'ftp', 'percent * inputs.ftp_w / 100', [0, 55, 75, 90, 105, 120, 150], 'inputs.power_zones is null and inputs.ftp_w > 0'
        ),
        (
            'pace', 'threshold_pace', 'percent * inputs.threshold_speed_mps / 100', [0, 80, 87, 95, 105, 119],
            "inputs.sport_group in ('run', 'walk') and inputs.threshold_speed_mps > 0"
        ),
        (
            'pace', 'threshold_pace', 'percent * inputs.threshold_speed_mps / 100', [0, 93, 97, 99, 102, 109],
            "inputs.sport_group = 'swim' and inputs.threshold_speed_mps > 0"
        ),
    ] %}
    select
        inputs.activity_id,
        '{{ kind }}' as kind,
        '{{ source }}' as bounds_source,
        {{ bound }} as start  -- noqa: RF02
    from inputs
    {{ each('[' ~ percents | join(', ') ~ ']', 'percent') }}
    where {{ condition }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

numbered as (
    select
        *,
        row_number() over (partition by activity_id, kind order by start) as zone,
        lead(start) over (partition by activity_id, kind order by start) as next_start
    from starts
),

zones as (
    select
        activity_id,
        kind,
        bounds_source,
        zone,
        start as lower_bound,
        next_start as upper_bound
    from numbered
    union all
    select
        activity_id,
        kind,
        bounds_source,
        0 as zone,
        {{ as_double('0') }} as lower_bound,
        start as upper_bound
    from numbered
    where
        zone = 1
        and start > 0
),

summed as (
    select
        zones.activity_id,
        zones.kind,
        zones.zone,
        zones.lower_bound,
        zones.upper_bound,
        zones.bounds_source,
        coalesce(sum(held.recorded_s), 0) as recorded_s,
        coalesce(sum(held.moving_s), 0) as moving_s
    from zones
    inner join measured on zones.activity_id = measured.activity_id and zones.kind = measured.kind
    left join held
        on
            zones.activity_id = held.activity_id
            and zones.kind = held.kind
            and zones.lower_bound <= held.value
            and (zones.upper_bound is null or zones.upper_bound > held.value)
    group by zones.activity_id, zones.kind, zones.zone, zones.lower_bound, zones.upper_bound, zones.bounds_source
),

final as (
    select
        inputs.athlete_id,
        summed.activity_id,
        summed.kind,
        cast(summed.zone as int64) as zone,
        cast(case when measured.moving_s > 0 then summed.moving_s else summed.recorded_s end as int64) as seconds,
        cast(summed.recorded_s as int64) as recorded_s,
        summed.lower_bound,
        summed.upper_bound,
        summed.bounds_source,
        inputs.sport_group,
        inputs.start_date_local,
        cast({{ definition_version }} as int64) as definition_version
    from summed
    inner join inputs on summed.activity_id = inputs.activity_id
    inner join measured on summed.activity_id = measured.activity_id and summed.kind = measured.kind
)

select * from final
