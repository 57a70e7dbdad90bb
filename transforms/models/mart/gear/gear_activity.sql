{% set definition_version = 1 %}
{{ config(materialized='view', meta={'definition_version': definition_version}) }}

with activities as (
    select
        activity_id,
        athlete_id,
        gear_id,
        gear_name,
        sport_group,
        name,
        start_date_local,
        utc_offset_s,
        distance_m,
        moving_time_s,
        elevation_gain_m
    from {{ portable(ref('fct_activities')) }}
),

rules as (
    select * from {{ portable(ref('stg_athlete_file__gear')) }}
    where has_rule
),

-- what Strava gives no gear; of several rules the first in the file counts
ruled as (
    select
        activities.activity_id,
        min(rules.gear_number) as gear_number
    from activities
    inner join rules on activities.athlete_id = rules.athlete_id
    where
        activities.gear_id is null
        and rules.sport_group in ('all', activities.sport_group)
        and (rules.title_has is null or strpos(lower(activities.name), lower(rules.title_has)) > 0)
        and (rules.valid_from is null or activities.start_date_local >= rules.valid_from)
        and (rules.valid_to is null or activities.start_date_local <= rules.valid_to)
    group by activities.activity_id
),

final as (
    select
        activities.activity_id,
        activities.athlete_id,
        coalesce(activities.gear_id, concat('own-', cast(ruled.gear_number as {{ dbt.type_string() }}))) as gear_id,
        activities.gear_name,
        activities.gear_id is null as is_by_rule,
        activities.name,
        activities.start_date_local,
        activities.utc_offset_s,
        activities.distance_m,
        activities.moving_time_s,
        activities.elevation_gain_m,
        cast({{ definition_version }} as int64) as definition_version
    from activities
    left join ruled on activities.activity_id = ruled.activity_id
    where activities.gear_id is not null or ruled.gear_number is not null
)

select * from final
