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

with inputs as (
    select * from {{ ref('int_streams__inputs') }}
    where
        sport_group = 'ride'
        and {{ is_changed() }}
),

streams as (
    select
        streams.activity_id,
        streams.athlete_id,
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
    {%- for name, length_m in ride_lengths().items() %}
    select
        '{{ name }}' as effort_name,
        {{ as_double(length_m) }} as length_m
    {%- if not loop.last %}
    union all
    {%- endif %}
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
    inner join lengths on stretches.length_m = lengths.length_m
    inner join inputs on stretches.activity_id = inputs.activity_id
)

select * from final
