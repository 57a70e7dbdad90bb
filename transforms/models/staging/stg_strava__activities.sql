{{ config(materialized='view') }}

with activities as (
    select * from {{ portable(ref('base_strava__activities')) }}
    where not is_deleted
),

sport_groups as (
    select * from {{ portable(ref('sport_groups')) }}
),

grouped as (
    select
        activities.*,
        coalesce(sport_groups.sport_group, 'other') as sport_group,
        coalesce(sport_groups.is_assisted, false) as is_assisted,
        coalesce(sport_groups.is_virtual, false) as is_virtual
    from activities
    left join sport_groups on activities.sport_type = sport_groups.sport_type
),

raced as (
    select
        *,
        coalesce(
            (sport_group in ('run', 'walk') and workout_type = 1)
            or (sport_group = 'ride' and workout_type = 11),
            false
        ) as is_race
    from grouped
),

timed as (
    select
        raced.* {{ except(['moving_time_s']) }},
        case
            when moving_time_s > elapsed_time_s then elapsed_time_s
            when moving_time_s = 0 and elapsed_time_s > 0 and coalesce(distance_m, 0) = 0 then elapsed_time_s
            else moving_time_s
        end as moving_time_s,
        coalesce(moving_time_s > elapsed_time_s, false) as is_time_inconsistent,
        -- the time over which Strava reckons the average speed
        case when is_race and sport_group in ('run', 'walk') then elapsed_time_s else moving_time_s end as speed_time_s
    from raced
),

-- twelve hours at less than 1 km/h, or a week without a stop
judged as (
    select
        *,
        coalesce(
            moving_time_s > 7 * 86400
            or (moving_time_s > 12 * 3600 and coalesce(distance_m, 0) * 3.6 < moving_time_s),
            false
        ) as is_moving_time_implausible
    from timed
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
        cast(start_at_local as date) as start_date_local,
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
        average_heartrate_bpm,
        max_heartrate_bpm,
        average_cadence_rpm,
        average_power_w,
        weighted_power_w,
        max_power_w,
        case
            when coalesce(average_power_w, weighted_power_w, max_power_w) is not null
                then is_power_measured
        end as is_power_measured,
        energy_kj,
        calories_kcal,
        average_temperature_c,
        suffer_score,
        gear_id,
        gear_name,
        device_name,
        {{ place('start_latitude', 'start_longitude') }} as start_location,
        start_latitude,
        start_longitude,
        end_latitude,
        end_longitude,
        coalesce(is_manual, false) as is_manual,
        coalesce(is_trainer, false) as is_trainer,
        coalesce(is_commute, false) as is_commute,
        coalesce(is_private, false) or coalesce(visibility = 'only_me', false) as is_private,
        visibility,
        polyline is not null as has_map,
        coalesce(
            extract(hour from start_at_local) = 0
            and extract(minute from start_at_local) = 0
            and extract(second from start_at_local) = 1,
            false
        ) as has_hidden_start_time,
        -- one of the two speeds is more than half again the other
        coalesce(
            distance_m > 1.5 * average_speed_mps * speed_time_s
            or 1.5 * distance_m < average_speed_mps * speed_time_s,
            false
        ) as is_speed_inconsistent,
        is_time_inconsistent,
        is_moving_time_implausible,
        -- twelve hours of which less than a quarter were in motion
        is_moving_time_implausible
        or coalesce(elapsed_time_s > 12 * 3600 and moving_time_s * 4 < elapsed_time_s, false) as is_elapsed_time_implausible,
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
        ingested_at
    from judged
)

select * from final
