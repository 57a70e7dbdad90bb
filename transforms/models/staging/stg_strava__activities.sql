{{ config(materialized='view') }}

with activities as (
    select * from {{ portable(ref('base_strava__activities')) }}
    where not is_deleted
),

sport_groups as (
    select * from {{ portable(ref('sport_groups')) }}
),

final as (
    select
        activities.activity_id,
        activities.athlete_id,
        activities.name,
        activities.sport_type,
        coalesce(sport_groups.sport_group, 'other') as sport_group,
        activities.workout_type,
        activities.start_at,
        activities.start_at_local,
        cast(activities.start_at_local as date) as start_date_local,
        activities.timezone_name,
        activities.utc_offset_s,
        activities.distance_m,
        activities.moving_time_s,
        activities.elapsed_time_s,
        activities.elevation_gain_m,
        activities.elevation_high_m,
        activities.elevation_low_m,
        activities.average_speed_mps,
        activities.max_speed_mps,
        activities.average_heartrate_bpm,
        activities.max_heartrate_bpm,
        activities.average_cadence_rpm,
        activities.average_power_w,
        activities.weighted_power_w,
        activities.max_power_w,
        activities.is_power_measured,
        activities.energy_kj,
        activities.calories_kcal,
        activities.average_temperature_c,
        activities.suffer_score,
        activities.gear_id,
        activities.gear_name,
        activities.device_name,
        {{ place('activities.start_latitude', 'activities.start_longitude') }} as start_location,
        activities.start_latitude,
        activities.start_longitude,
        activities.end_latitude,
        activities.end_longitude,
        coalesce(activities.is_manual, false) as is_manual,
        coalesce(activities.is_trainer, false) as is_trainer,
        coalesce(activities.is_commute, false) as is_commute,
        coalesce(activities.is_private, false) or coalesce(activities.visibility = 'only_me', false) as is_private,
        activities.visibility,
        activities.polyline is not null as has_map,
        coalesce(
            extract(hour from activities.start_at_local) = 0
            and extract(minute from activities.start_at_local) = 0
            and extract(second from activities.start_at_local) = 1,
            false
        ) as has_hidden_start_time,
        -- one of the two speeds is more than half again the other
        coalesce(
            activities.distance_m > 1.5 * activities.average_speed_mps * activities.moving_time_s
            or 1.5 * activities.distance_m < activities.average_speed_mps * activities.moving_time_s,
            false
        ) as is_speed_inconsistent,
        activities.has_unreadable_fields,
        activities.kudos_count,
        activities.comment_count,
        activities.photo_count,
        activities.achievement_count,
        activities.pr_count,
        activities.resource_state,
        activities.source,
        activities.ingested_at
    from activities
    left join sport_groups on activities.sport_type = sport_groups.sport_type
)

select * from final
