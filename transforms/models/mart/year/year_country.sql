{% set definition_version = 1 %}
{{
    config(
        cluster_by=['athlete_id', 'sport_group', 'year'],
        meta={'definition_version': definition_version},
        tags=['measures_only'],
    )
}}

-- an athlete is in few zones, so few rows are left to find countries for
with zones as (
    select
        athlete_id,
        sport_group,
        timezone_name,
        {{ date_number('year', 'start_date_local') }} as year,
        count(*) as activity_count,
        min(start_date_local) as first_day
    from {{ ref('fct_activities') }}
    where
        {{ day_has_come() }}
        and not is_virtual
        and coalesce(utc_offset_source, '') != 'athlete'
    group by athlete_id, sport_group, timezone_name, year
),

placed as (
    select
        zones.athlete_id,
        zones.sport_group,
        zones.year,
        countries.country_code,
        zones.activity_count,
        zones.first_day
    from zones
    inner join {{ ref('time_zone_countries') }} as countries on zones.timezone_name = countries.timezone_name
),

of_any_sport as (
    select * from placed
    union all
    select
        athlete_id,
        'all' as sport_group,
        year,
        country_code,
        activity_count,
        first_day
    from placed
),

visited as (
    select
        athlete_id,
        sport_group,
        year,
        country_code,
        cast(sum(activity_count) as int64) as activity_count,
        min(first_day) as first_day
    from of_any_sport
    group by athlete_id, sport_group, year, country_code
),

final as (
    select
        athlete_id,
        sport_group,
        year,
        country_code,
        activity_count,
        first_day,
        year = min(year) over (partition by athlete_id, sport_group, country_code) as is_first_year,
        cast({{ definition_version }} as int64) as definition_version
    from visited
)

select * from final
