{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'effort_name'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with sent as (
    select distinct activity_id
    from {{ ref('stg_strava__best_efforts') }}
    where {{ is_changed() }}
),

inputs as (
    select inputs.*
    from {{ ref('int_streams__inputs') }} as inputs
    left join sent on inputs.activity_id = sent.activity_id
    where
        inputs.sport_group in ('ride', 'run')
        and sent.activity_id is null
        and {{ is_changed('inputs.activity_id') }}
),

streams as (
    select
        streams.activity_id,
        streams.athlete_id,
        inputs.sport_group,
        streams.stream_key,
        streams.readings
    from {{ ref('stg_strava__streams') }} as streams
    inner join inputs on streams.activity_id = inputs.activity_id
    where
        streams.stream_key in ('time', 'distance')
        and {{ is_changed('streams.activity_id') }}
),

stretches as (
    {{ fastest_stretches('streams') }}
),

lengths as (
    {%- for group, lengths in effort_lengths().items() %}
    {%- set is_last = loop.last %}
    {%- for name, length_m in lengths.items() %}
    select
        '{{ group }}' as sport_group,
        '{{ name }}' as effort_name,
        {{ as_double(length_m) }} as length_m
    {%- if not (is_last and loop.last) %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
),

final as (
    select
        stretches.activity_id,
        inputs.athlete_id,
        lengths.effort_name,
        stretches.length_m as distance_m,
        stretches.begin_s,
        stretches.elapsed_s,
        stretches.has_jump
    from stretches
    inner join inputs on stretches.activity_id = inputs.activity_id
    inner join lengths
        on
            stretches.length_m = lengths.length_m
            and inputs.sport_group = lengths.sport_group
)

select * from final
