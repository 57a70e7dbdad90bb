{{ config(materialized='view') }}

{% set beginning = "date '1900-01-01'" %}
{% set no_text = 'cast(null as ' ~ dbt.type_string() ~ ')' %}

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

birth_years as (
    select
        athlete_id,
        value as birth_year
    from own_file
    where setting = 'birth_year'
),

-- What was measured is the least that the maximum can be. It is the maximum itself where it is no less than one would think
-- without it, or where the athlete raced: who only jogs never comes near. Once it is proven so, what is no less proves itself.
expected as (
    select
        maxima.athlete_id,
        maxima.month_start_date,
        maxima.max_heartrate_bpm,
        maxima.race_count > 0
        or maxima.max_heartrate_bpm
        >= coalesce({{ heartrate_by_age('maxima.month_start_date', 'birth_years.birth_year') }}, 190) as is_proven
    from {{ portable(ref('int_training__heartrate_maxima')) }} as maxima
    left join birth_years on maxima.athlete_id = birth_years.athlete_id
),

compared as (
    select
        *,
        last_value(case when is_proven then max_heartrate_bpm end ignore nulls) over (
            partition by athlete_id
            order by month_start_date
            rows between unbounded preceding and current row
        ) as last_proven_bpm
    from expected
),

proven as (
    select * from compared
    where max_heartrate_bpm >= last_proven_bpm
),

defaults as (
    select
        'max_heartrate_bpm' as setting,
        {{ as_double('190') }} as value,
        {{ no_text }} as value_text
    union all
    select
        'resting_heartrate_bpm' as setting,
        {{ as_double('60') }} as value,
        {{ no_text }} as value_text
    union all
    select
        'load_order' as setting,
        {{ as_double('null') }} as value,
        '{{ load_words() | join(',') }}' as value_text
),

estimates as (
    select distinct
        athlete_id,
        'max_heartrate_bpm' as setting,
        'all' as sport_group,
        month_start_date as valid_from,
        {{ as_double('max_heartrate_bpm') }} as value,
        {{ no_text }} as value_text,
        'own_activities' as source
    from proven
    union all
    select distinct
        activities.athlete_id,
        'max_heartrate_bpm' as setting,
        'all' as sport_group,
        {{ period_start('year', 'activities.start_date_local') }} as valid_from,
        {{ heartrate_by_age('activities.start_date_local', 'birth_years.birth_year') }} as value,
        {{ no_text }} as value_text,
        'age' as source
    from activities
    inner join birth_years on activities.athlete_id = birth_years.athlete_id
    where activities.start_date_local is not null
    union all
    select distinct
        activities.athlete_id,
        defaults.setting,
        'all' as sport_group,
        {{ beginning }} as valid_from,
        defaults.value,
        defaults.value_text,
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
        value_text,
        source
    from estimates
)

select * from final
