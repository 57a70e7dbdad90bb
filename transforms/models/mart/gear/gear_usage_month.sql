{% set definition_version = 1 %}
{{ config(cluster_by=['athlete_id', 'gear_id', 'month_start_date'], meta={'definition_version': definition_version}) }}

with days as (
    select * from {{ ref('int_gear__days') }}
),

pieces as (
    select * from {{ ref('int_gear__pieces') }}
),

final as (
    select
        days.athlete_id,
        days.gear_id,
        pieces.gear_name,
        pieces.gear_kind,
        {{ period_start('month', 'days.date_day') }} as month_start_date,
        cast(sum(days.activity_count) as int64) as activity_count,
        {{ exact_sum('days.distance_m') }} as distance_m,
        cast(sum(days.moving_time_s) as int64) as moving_time_s,
        {{ exact_sum('days.elevation_gain_m') }} as elevation_gain_m,
        cast({{ definition_version }} as int64) as definition_version
    from days
    inner join pieces
        on
            days.athlete_id = pieces.athlete_id
            and days.gear_id = pieces.gear_id
    group by days.athlete_id, days.gear_id, pieces.gear_name, pieces.gear_kind, month_start_date
)

select * from final
