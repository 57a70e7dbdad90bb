{{ config(cluster_by=['activity_id'], tags=['changes']) }}

{%- set before = ref('int_streams__inputs').incorporate(path={'identifier': 'int_streams__inputs_before'}) %}
{%- set columns = [
    'athlete_id', 'sport_type', 'sport_group', 'is_assisted', 'start_date_local', 'is_power_measured', 'weight_kg', 'ftp_w',
    'threshold_speed_mps', 'resting_heartrate_bpm', 'max_heartrate_bpm', 'sex', 'heartrate_zones', 'heartrate_zones_source',
    'power_zones', 'power_zones_source',
] %}

{%- if execute and not flags.FULL_REFRESH and adapter.get_relation(before.database, before.schema, before.identifier) %}
with compared as (
    select
        coalesce(now.activity_id, before.activity_id) as activity_id,
        {%- for column in columns %}
        now.{{ column }} is distinct from before.{{ column }}{{ ' or' if not loop.last }}
        {%- endfor %} as is_other
    from {{ ref('int_streams__inputs') }} as now
    full join {{ before }} as before on now.activity_id = before.activity_id
),

final as (
    select activity_id from {{ ref('base_strava__changed_activities') }}
    where {{ is_after('ingested_at', watermark()) }}
    union distinct
    select activity_id from compared
    where is_other
)
{%- else %}
with final as (
    select activity_id from {{ ref('base_strava__changed_activities') }}
    where {{ is_after('ingested_at', watermark()) }}
    union distinct
    select activity_id from {{ ref('int_streams__inputs') }}
)
{%- endif %}

select * from final
