{% set definition_version = 1 %}
{{ config(cluster_by=['athlete_id', 'gear_id'], meta={'definition_version': definition_version}) }}

with days as (
    select * from {{ ref('int_gear__days') }}
),

pieces as (
    select * from {{ ref('int_gear__pieces') }}
),

services as (
    select * from {{ ref('stg_athlete_file__services') }}
),

todays as (
    select
        athlete_id,
        max(date_day) as today
    from {{ ref('int_summaries__daily') }}
    group by athlete_id
),

-- what was done on the day of the last service was done before it
since as (
    select
        pieces.athlete_id,
        pieces.gear_id,
        services.service_number,
        services.service,
        services.every_m,
        services.every_s,
        services.every_days,
        services.last_done_on,
        coalesce(services.last_done_on, min(days.date_day)) as since_day,
        max(todays.today) as today,
        coalesce({{ exact_sum('days.distance_m') }}, 0) as distance_m,
        cast(coalesce(sum(days.moving_time_s), 0) as int64) as moving_time_s
    from services
    inner join pieces
        on
            services.athlete_id = pieces.athlete_id
            and services.gear_number = pieces.gear_number
    left join todays on services.athlete_id = todays.athlete_id
    left join days
        on
            pieces.athlete_id = days.athlete_id
            and pieces.gear_id = days.gear_id
            and (services.last_done_on is null or services.last_done_on < days.date_day)
    group by
        pieces.athlete_id, pieces.gear_id, services.service_number, services.service, services.every_m, services.every_s,
        services.every_days, services.last_done_on
),

counted as (
    select
        *,
        coalesce(greatest({{ days_between('since_day', 'today') }}, 0), 0) as day_count
    from since
),

final as (
    select
        athlete_id,
        gear_id,
        service_number,
        service,
        every_m,
        every_s,
        every_days,
        last_done_on,
        since_day,
        distance_m,
        moving_time_s,
        day_count,
        greatest(
            coalesce(distance_m / every_m, 0), coalesce(moving_time_s / every_s, 0), coalesce(day_count / every_days, 0)
        ) as share_used,
        coalesce(distance_m >= every_m, false)
        or coalesce(moving_time_s >= every_s, false)
        or coalesce(day_count >= every_days, false) as is_due,
        cast({{ definition_version }} as int64) as definition_version
    from counted
)

select * from final
