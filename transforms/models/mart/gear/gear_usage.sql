{% set definition_version = 1 %}
{{ config(cluster_by=['athlete_id', 'gear_id'], meta={'definition_version': definition_version}) }}

with days as (
    select * from {{ ref('int_gear__days') }}
),

pieces as (
    select * from {{ ref('int_gear__pieces') }}
),

services as (
    select * from {{ ref('gear_service') }}
),

sums as (
    select
        athlete_id,
        gear_id,
        cast(sum(activity_count) as int64) as activity_count,
        {{ exact_sum('distance_m') }} as distance_m,
        cast(sum(moving_time_s) as int64) as moving_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m,
        min(date_day) as first_used_on,
        max(date_day) as last_used_on
    from days
    group by athlete_id, gear_id
),

due as (
    select
        athlete_id,
        gear_id,
        count(*) as service_count,
        cast(sum(case when is_due then 1 else 0 end) as int64) as due_service_count,
        max(share_used) as service_share_used
    from services
    group by athlete_id, gear_id
),

final as (
    select
        pieces.athlete_id,
        pieces.gear_id,
        pieces.gear_name,
        pieces.gear_kind,
        pieces.is_retired,
        pieces.is_primary,
        coalesce(sums.activity_count, 0) as activity_count,
        coalesce(sums.distance_m, 0) as distance_m,
        coalesce(sums.moving_time_s, 0) as moving_time_s,
        coalesce(sums.elevation_gain_m, 0) as elevation_gain_m,
        sums.first_used_on,
        sums.last_used_on,
        pieces.strava_distance_m,
        pieces.strava_observed_at,
        coalesce(sums.distance_m, 0) - pieces.strava_distance_m as difference_m,
        pieces.notification_distance_m,
        pieces.cost,
        pieces.cost / nullif(sums.distance_m, 0) * 1000 as cost_per_km,
        pieces.cost / nullif(sums.moving_time_s, 0) * 3600 as cost_per_hour,
        coalesce(due.service_count, 0) as service_count,
        coalesce(due.due_service_count, 0) as due_service_count,
        due.service_share_used,
        cast({{ definition_version }} as int64) as definition_version
    from pieces
    left join sums
        on
            pieces.athlete_id = sums.athlete_id
            and pieces.gear_id = sums.gear_id
    left join due
        on
            pieces.athlete_id = due.athlete_id
            and pieces.gear_id = due.gear_id
)

select * from final
