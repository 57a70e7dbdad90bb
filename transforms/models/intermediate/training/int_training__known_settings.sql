{{ config(materialized='view') }}

{% set beginning = "date '1900-01-01'" %}

with activities as (
    select * from {{ portable(ref('stg_strava__activities')) }}
),

own_file as (
    select
        athlete_id,
        setting,
        sport_group,
        coalesce(valid_from, {{ beginning }}) as valid_from,
        value,
        value_text,
        'file' as source
    from {{ portable(ref('stg_athlete_file__settings')) }}
),

-- of several answers of one day the last
shown as (
    select *
    from (
        select
            *,
            cast(observed_at as date) as seen_on,
            row_number() over (
                partition by athlete_id, cast(observed_at as date)
                order by observed_at desc, settings_id desc
            ) as place
        from {{ portable(ref('stg_strava__athlete_settings')) }}
    ) as answers
    where place = 1
),

strava as (
    {%- for setting, sport_group, value, value_text in [
        ('sex', 'all', 'null', 'sex'),
        ('weight_kg', 'all', 'weight_kg', 'null'),
        ('ftp_w', 'ride', 'ftp_w', 'null'),
        ('heartrate_zones', 'all', 'null', joined('heartrate_zone_starts_bpm')),
        ('power_zones', 'ride', 'null', joined('power_zone_starts_w')),
    ] %}
    select
        athlete_id,
        '{{ setting }}' as setting,
        '{{ sport_group }}' as sport_group,
        seen_on as valid_from,
        {{ as_double(value) }} as value,
        cast({{ value_text }} as {{ dbt.type_string() }}) as value_text,
        'strava' as source
    from shown
    where {{ value if value != 'null' else value_text }} is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

defaults as (
    select
        'max_heartrate_bpm' as setting,
        {{ as_double('190') }} as value
    union all
    select
        'resting_heartrate_bpm' as setting,
        {{ as_double('60') }} as value
),

estimates as (
    select
        athlete_id,
        'max_heartrate_bpm' as setting,
        'all' as sport_group,
        month_start_date as valid_from,
        {{ as_double('max_heartrate_bpm') }} as value,
        'own_activities' as source
    from {{ portable(ref('int_training__heartrate_maxima')) }}
    union all
    -- Tanaka, by the age that is reached in the year
    select distinct
        activities.athlete_id,
        'max_heartrate_bpm' as setting,
        'all' as sport_group,
        {{ period_start('year', 'activities.start_date_local') }} as valid_from,
        {{ as_double('208') }} - 0.7 * ({{ date_number('year', 'activities.start_date_local') }} - own_file.value) as value,
        'age' as source
    from activities
    inner join own_file on activities.athlete_id = own_file.athlete_id
    where own_file.setting = 'birth_year' and activities.start_date_local is not null
    union all
    select distinct
        activities.athlete_id,
        defaults.setting,
        'all' as sport_group,
        {{ beginning }} as valid_from,
        defaults.value,
        'default' as source
    from activities
    cross join defaults
),

final as (
    select * from own_file
    union all
    select * from strava
    union all
    select
        athlete_id,
        setting,
        sport_group,
        valid_from,
        value,
        null as value_text,
        source
    from estimates
)

select * from final
