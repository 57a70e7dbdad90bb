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
    )
}}

with streams as (
    select * from {{ ref('stg_strava__streams') }}
    where {{ is_changed() }}
),

activities as (
    select * from {{ ref('stg_strava__activities') }}
    where {{ is_changed() }}
),

measured as (
    select
        activities.activity_id,
        activities.athlete_id,
        activities.sport_group in ('run', 'walk') or activities.sport_type = 'Snowshoe' as is_on_foot,
        array_length(clock.readings) as point_count,
        clock.readings as seconds,
        {%- for stream_key in curves %}
        {{ stream_key }}.readings as {{ stream_key }}_readings,
        {%- endfor %}
        cadence.readings as cadence_readings,
        places.latitudes,
        places.longitudes
    from activities
    inner join streams as clock on activities.activity_id = clock.activity_id and clock.stream_key = 'time'
    {%- for stream_key in curves.keys() | list + ['cadence'] %}
    left join streams as {{ stream_key }}
        on activities.activity_id = {{ stream_key }}.activity_id and {{ stream_key }}.stream_key = '{{ stream_key }}'
    {%- endfor %}
    left join streams as places on activities.activity_id = places.activity_id and places.stream_key = 'latlng'
    where array_length(clock.readings) > 0
),

final as (
    select
        activity_id,
        athlete_id,
        point_count,
        {{ picked('seconds', 'point_count', most) }} as seconds,
        {%- for stream_key, column in curves.items() %}
        {{ picked(stream_key ~ '_readings', 'point_count', most) }} as {{ column }},
        {%- endfor %}
        {{ picked('latitudes', 'point_count', most) }} as latitudes,
        {{ picked('longitudes', 'point_count', most) }} as longitudes,
        case
            when is_on_foot then {{ multiplied(picked('cadence_readings', 'point_count', most), 2) }}
            else {{ picked('cadence_readings', 'point_count', most) }}
        end as cadences_per_minute,
        cast({{ definition_version }} as int64) as definition_version
    from measured
)

select * from final
