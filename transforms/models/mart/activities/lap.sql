{{ config(materialized='view') }}

with laps as (
    select * from {{ portable(ref('stg_strava__laps')) }}
),

final as (
    select
        activity_id,
        athlete_id,
        lap_index,
        name,
        start_at,
        distance_m,
        moving_time_s,
        elapsed_time_s,
        elevation_gain_m,
        average_speed_mps,
        average_heartrate_bpm,
        max_heartrate_bpm,
        average_cadence_rpm,
        average_power_w,
        is_power_measured,
        source
    from laps
)

select * from final
