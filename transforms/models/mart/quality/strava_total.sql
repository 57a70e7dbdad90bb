{%- set definition_version = 1 -%}
{%- set kinds = ['hidden', 'file_only', 'archive_only', 'other_sport_type'] -%}
{{ config(cluster_by=['athlete_id'], meta={'definition_version': definition_version}) }}

with told as (
    select * from {{ ref('stg_strava__totals') }}
),

moments as (
    select distinct
        athlete_id,
        sport_group,
        observed_at
    from told
),

-- what Strava knew when it told: how it would count each activity, the first reason that applies
kept as (
    select
        activities.athlete_id,
        activities.sport_group,
        extract(year from activities.start_date_local) as calendar_year,
        case
            when activities.source = 'file' then 'file_only'
            when activities.source = 'archive' then 'archive_only'
            when activities.is_private or coalesce(activities.visibility, 'everyone') != 'everyone' then 'hidden'
            when
                activities.sport_type not in ('Ride', 'MountainBikeRide', 'GravelRide', 'Run', 'TrailRun', 'Swim')
                then 'other_sport_type'
            else 'counted'
        end as kind,
        activities.distance_m,
        activities.moving_time_s,
        activities.elevation_gain_m
    from {{ ref('fct_activities') }} as activities
    inner join moments
        on
            activities.athlete_id = moments.athlete_id
            and activities.sport_group = moments.sport_group
    where coalesce(activities.start_at <= moments.observed_at, true)
),

years as (
    select
        athlete_id,
        sport_group,
        calendar_year,
        kind,
        count(*) as activity_count,
        {{ exact_sum('distance_m') }} as distance_m,
        sum(moving_time_s) as moving_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m
    from kept
    group by athlete_id, sport_group, calendar_year, kind
),

sums as (
    select
        told.athlete_id,
        told.sport_group,
        told.scope,
        {%- for kind in kinds + ['counted'] %}
        cast(coalesce(sum(case when years.kind = '{{ kind }}' then years.activity_count end), 0) as int64) as {{ kind }}_count,
        coalesce({{ exact_sum("case when years.kind = '" ~ kind ~ "' then years.distance_m end") }}, 0) as {{ kind }}_distance_m,
        {%- endfor %}
        cast(coalesce(sum(years.activity_count), 0) as int64) as activity_count,
        coalesce({{ exact_sum('years.distance_m') }}, 0) as distance_m,
        cast(coalesce(sum(years.moving_time_s), 0) as int64) as moving_time_s,
        coalesce({{ exact_sum('years.elevation_gain_m') }}, 0) as elevation_gain_m
    from told
    left join years
        on
            told.athlete_id = years.athlete_id
            and told.sport_group = years.sport_group
            and (told.scope = 'all' or told.calendar_year = years.calendar_year)
    group by told.athlete_id, told.sport_group, told.scope
),

bounds as (
    select
        *,
        counted_count + archive_only_count + other_sport_type_count as at_most_count,
        counted_distance_m + archive_only_distance_m + other_sport_type_distance_m as at_most_distance_m
    from sums
),

final as (
    select
        told.athlete_id,
        told.sport_group,
        told.scope,
        told.calendar_year,
        told.observed_at as told_at,
        told.activity_count as strava_activity_count,
        told.distance_m as strava_distance_m,
        told.moving_time_s as strava_moving_time_s,
        told.elevation_gain_m as strava_elevation_gain_m,
        bounds.activity_count,
        bounds.distance_m,
        bounds.moving_time_s,
        bounds.elevation_gain_m,
        bounds.activity_count - told.activity_count as difference_count,
        bounds.distance_m - told.distance_m as difference_m,
        bounds.moving_time_s - told.moving_time_s as difference_moving_time_s,
        bounds.elevation_gain_m - told.elevation_gain_m as difference_elevation_gain_m,
        {%- for kind in kinds %}
        bounds.{{ kind }}_count,
        bounds.{{ kind }}_distance_m,
        {%- endfor %}
        case
            when told.activity_count < bounds.counted_count then bounds.counted_count - told.activity_count
            when told.activity_count > bounds.at_most_count then bounds.at_most_count - told.activity_count
            else 0
        end as unexplained_count,
        case
            when told.distance_m < bounds.counted_distance_m then bounds.counted_distance_m - told.distance_m
            when told.distance_m > bounds.at_most_distance_m then bounds.at_most_distance_m - told.distance_m
            else 0
        end as unexplained_distance_m,
        cast({{ definition_version }} as int64) as definition_version
    from told
    inner join bounds
        on
            told.athlete_id = bounds.athlete_id
            and told.sport_group = bounds.sport_group
            and told.scope = bounds.scope
)

select * from final
