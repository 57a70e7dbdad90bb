{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        post_hook="{{ follow_loads() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'activity_id'],
        meta={'definition_version': load_definition_version(), 'labels': labels()},
    )
}}

with activities as (
    select * from {{ ref('stg_strava__activities') }}
    where {{ is_changed() }}
),

loads as (
    select * from {{ ref('int_training__loads') }}
),

measured as (
    select
        activities.*,
        {%- for column in load_columns() %}
        loads.{{ column }},
        {%- endfor %}
        case when activities.is_race then activities.elapsed_time_s else activities.moving_time_s end as pace_time_s
    from activities
    left join loads on activities.activity_id = loads.activity_id
),

final as (
    select
        activity_id,
        athlete_id,
        name,
        sport_type,
        sport_group,
        is_assisted,
        is_virtual,
        workout_type,
        is_race,
        start_at,
        start_at_local,
        start_date_local,
        timezone_name,
        utc_offset_s,
        utc_offset_source,
        distance_m,
        distance_precision_m,
        moving_time_s,
        elapsed_time_s,
        elevation_gain_m,
        elevation_source,
        elevation_high_m,
        elevation_low_m,
        average_speed_mps,
        max_speed_mps,
        case
            when sport_group in ('run', 'walk') and distance_m > 0 and pace_time_s > 0
                then pace_time_s / distance_m * 1000
        end as pace_s_per_km,
        case
            when sport_group = 'ride' and distance_m > 0 and moving_time_s > 0
                then distance_m * 3.6 / moving_time_s
        end as speed_kmh,
        average_heartrate_bpm,
        max_heartrate_bpm,
        average_cadence_rpm,
        average_power_w,
        weighted_power_w,
        max_power_w,
        is_power_measured,
        energy_kj,
        calories_kcal,
        average_temperature_c,
        suffer_score,
        {%- for column in load_columns() %}
        {{ column }},
        {%- endfor %}
        gear_id,
        gear_name,
        device_name,
        start_latitude,
        start_longitude,
        end_latitude,
        end_longitude,
        is_manual,
        is_trainer,
        is_commute,
        is_private,
        visibility,
        has_map,
        has_hidden_start_time,
        is_speed_inconsistent,
        is_time_inconsistent,
        is_moving_time_implausible,
        is_elapsed_time_implausible,
        has_unreadable_fields,
        kudos_count,
        comment_count,
        photo_count,
        achievement_count,
        pr_count,
        is_clipped,
        computed_columns,
        resource_state,
        source,
        case
            when coalesce(source, '') != 'file'
                then concat('https://www.strava.com/activities/', cast(activity_id as {{ dbt.type_string() }}))
        end as strava_url,
        ingested_at
    from measured
)

select * from final
