{% set definition_version = 2 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'date_day'],
        on_schema_change='fail',
        pre_hook="{{ forget_rows_of_days() }}",
        cluster_by=['athlete_id', 'sport_group'],
        meta={'definition_version': definition_version},
    )
}}

with days as (
    select * from {{ ref('int_summaries__daily_by_group') }}
    where {{ is_missing('athlete_id, sport_group') }}
),

final as (
    select
        athlete_id,
        sport_group,
        date_day,
        {{ period_start('week', 'date_day') }} as week_start_date,
        {{ date_number('isodow', 'date_day') }} as day_of_week,
        activity_count,
        distance_m,
        moving_time_s,
        load,
        {{ fifth_of_days('activity_count') }} as activity_count_class,
        {{ fifth_of_days('distance_m') }} as distance_class,
        {{ fifth_of_days('moving_time_s') }} as moving_time_class,
        {{ fifth_of_days('load') }} as load_class,
        cast({{ definition_version }} as int64) as definition_version
    from days
)

select * from final
