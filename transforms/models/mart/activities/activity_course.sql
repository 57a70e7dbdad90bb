{% set definition_version = 1 %}
{% set most = 500 %}
{%- set curves = {
    'distance': 'distances_m',
    'altitude': 'altitudes_m',
    'velocity_smooth': 'speeds_mps',
    'heartrate': 'heartrates_bpm',
    'watts': 'powers_w',
    'grade_smooth': 'grades_percent',
} -%}
{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['athlete_id', 'activity_id'],
        meta={'definition_version': definition_version},
        tags=['measures_only'],
    )
}}

with clocks as (
    select
        activity_id,
        array_length(readings) as point_count
    from {{ ref('stg_strava__streams') }}
    where
        stream_key = 'time'
        and array_length(readings) > 0
        and {{ is_changed() }}
),

-- before they are put side by side: an eighth of the readings
streams as (
    select
        streams.activity_id,
        streams.stream_key,
        clocks.point_count,
        {{ picked('streams.readings', 'clocks.point_count', most) }} as readings,
        {{ picked('streams.latitudes', 'clocks.point_count', most) }} as latitudes,
        {{ picked('streams.longitudes', 'clocks.point_count', most) }} as longitudes
    from {{ ref('stg_strava__streams') }} as streams
    inner join clocks on streams.activity_id = clocks.activity_id
    where {{ is_changed('streams.activity_id') }}
),

activities as (
    select * from {{ ref('stg_strava__activities') }}
    where {{ is_changed() }}
),

final as (
    select
        activities.activity_id,
        activities.athlete_id,
        clock.point_count,
        clock.readings as seconds,
        {%- for stream_key, column in curves.items() %}
        coalesce({{ stream_key }}.readings, []) as {{ column }},
        {%- endfor %}
        coalesce(places.latitudes, []) as latitudes,
        coalesce(places.longitudes, []) as longitudes,
        case
            when activities.sport_group in ('run', 'walk') or activities.sport_type = 'Snowshoe'
                then {{ multiplied('coalesce(cadence.readings, [])', 2) }}
            else coalesce(cadence.readings, [])
        end as cadences_per_minute,
        cast({{ definition_version }} as int64) as definition_version
    from activities
    inner join streams as clock on activities.activity_id = clock.activity_id and clock.stream_key = 'time'
    {%- for stream_key in curves.keys() | list + ['cadence'] %}
    left join streams as {{ stream_key }}
        on activities.activity_id = {{ stream_key }}.activity_id and {{ stream_key }}.stream_key = '{{ stream_key }}'
    {%- endfor %}
    left join streams as places on activities.activity_id = places.activity_id and places.stream_key = 'latlng'
)

select * from final
