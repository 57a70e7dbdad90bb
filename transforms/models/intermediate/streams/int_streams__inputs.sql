{{ config(cluster_by=['activity_id'], tags=['measures_only']) }}

with streams as (
    select activity_id
    from {{ ref('stg_strava__streams') }}
    where stream_key = 'time'
),

activities as (
    select
        activities.activity_id,
        activities.athlete_id,
        activities.sport_type,
        activities.sport_group,
        activities.is_assisted,
        activities.start_date_local,
        {{ load_day() }} as day,
        coalesce(activities.is_power_measured, false) as is_power_measured
    from {{ ref('stg_strava__activities') }} as activities
    inner join streams on activities.activity_id = streams.activity_id
),

days as (
    select distinct
        athlete_id,
        sport_group,
        day
    from activities
),

-- the group's own setting before the general one
found as (
    select
        days.athlete_id,
        days.sport_group,
        days.day,
        setting.setting,
        setting.value,
        setting.value_text,
        setting.source,
        row_number() over (
            partition by days.athlete_id, days.sport_group, days.day, setting.setting
            order by case setting.sport_group when 'all' then 1 else 0 end
        ) as place
    from days
    inner join {{ ref('athlete_setting') }} as setting
        on
            days.athlete_id = setting.athlete_id
            and setting.sport_group in ('all', days.sport_group)
            and days.day >= setting.valid_from
            and (setting.next_valid_from is null or days.day < setting.next_valid_from)
),

settings as (
    select
        athlete_id,
        sport_group,
        day,
        {%- for setting in ['weight_kg', 'ftp_w', 'threshold_speed_mps', 'resting_heartrate_bpm', 'max_heartrate_bpm'] %}
        max(case when setting = '{{ setting }}' then value end) as {{ setting }},
        {%- endfor %}
        {%- for setting in ['heartrate_zones', 'power_zones'] %}
        max(case when setting = '{{ setting }}' then value_text end) as {{ setting }},
        max(case when setting = '{{ setting }}' then source end) as {{ setting }}_source,
        {%- endfor %}
        max(case when setting = 'sex' then value_text end) as sex
    from found
    where place = 1
    group by athlete_id, sport_group, day
),

final as (
    select
        activities.* {{ except(['day']) }},
        settings.* {{ except(['athlete_id', 'sport_group', 'day']) }}
    from activities
    left join settings
        on
            activities.athlete_id = settings.athlete_id
            and activities.sport_group = settings.sport_group
            and activities.day = settings.day
)

select * from final
