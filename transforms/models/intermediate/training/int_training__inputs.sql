{#- On DuckDB a refresh holds here what it reckons loads of. -#}
{{ config(materialized='view' if target.type == 'bigquery' else 'table', tags=['measures_only']) }}

with activities as (
    select
        activity_id,
        athlete_id,
        sport_group,
        is_assisted,
        {{ load_day() }} as day,
        {{ credible_moving_time_s() }} / 3600.0 as hours,
        {{ credible_elapsed_time_s() }} / 3600.0 as elapsed_hours,
        is_moving_time_implausible,
        coalesce(weighted_power_w, average_power_w) as power_w,
        weighted_power_w is not null as is_power_weighted,
        is_power_measured,
        average_heartrate_bpm,
        case
            when not is_speed_inconsistent and moving_time_s > 0 then distance_m / moving_time_s
        end as speed_mps,
        suffer_score
    from {{ portable(ref('stg_strava__activities')) }}
    where {{ is_changed_load() }}
),

-- a heart rate that is missing for more than a tenth of the time makes an impulse too small
recorded as (
    select
        activities.activity_id,
        streams.normalised_power_w,
        case when streams.heartrate_s >= 3240 * activities.hours then streams.trimp end as trimp
    from activities
    inner join {{ portable(ref('stream_summary')) }} as streams on activities.activity_id = streams.activity_id
),

days as (
    select distinct
        athlete_id,
        sport_group,
        day
    from activities
),

-- the settings of each day on which there is an activity of a sport group; the group's own before the general one
settings as (
    select
        days.athlete_id,
        days.sport_group,
        days.day,
        {%- for setting in ['ftp_w', 'threshold_speed_mps'] %}
        max(case when setting.setting = '{{ setting }}' and setting.sport_group <> 'all' then setting.value end) as {{ setting }},
        {%- endfor %}
        {%- for setting in ['resting_heartrate_bpm', 'max_heartrate_bpm'] %}
        max(case when setting.setting = '{{ setting }}' then setting.value end) as {{ setting }},
        {%- endfor %}
        max(case when setting.setting = 'sex' then setting.value_text end) as sex,
        coalesce(
            max(case when setting.setting = 'load_order' and setting.sport_group <> 'all' then setting.value_text end),
            max(case when setting.setting = 'load_order' then setting.value_text end)
        ) as load_order,
        coalesce(
            max(case when setting.setting = 'threshold_heartrate_bpm' and setting.sport_group <> 'all' then setting.value end),
            max(case when setting.setting = 'threshold_heartrate_bpm' then setting.value end)
        ) as threshold_heartrate_bpm
    from days
    inner join {{ portable(ref('athlete_setting')) }} as setting
        on
            days.athlete_id = setting.athlete_id
            and setting.sport_group in ('all', days.sport_group)
            and days.day >= setting.valid_from
            and (setting.next_valid_from is null or days.day < setting.next_valid_from)
    group by days.athlete_id, days.sport_group, days.day
),

final as (
    select
        activities.*,
        recorded.normalised_power_w,
        recorded.trimp,
        settings.* {{ except(['athlete_id', 'sport_group', 'day']) }}
    from activities
    left join recorded on activities.activity_id = recorded.activity_id
    left join settings
        on
            activities.athlete_id = settings.athlete_id
            and activities.sport_group = settings.sport_group
            and activities.day = settings.day
)

select * from final
