{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'date_day'],
        on_schema_change='fail',
        pre_hook="{{ forgotten_where(is_changed_day()) }}",
        cluster_by=['athlete_id', 'sport_group'],
    )
}}

with days as (
    select * from {{ ref('int_summaries__daily') }}
    {%- if is_incremental() %}
    where (athlete_id, date_day) in (select athlete_id, date_day from {{ ref('int_summaries__changed_days') }})
    {%- endif %}
),

every_group as (
    {{
        with_every_sport(
            'days', ['activity_count', 'distance_m', 'moving_time_s', 'elevation_gain_m', 'calories_kcal', 'load']
        )
    }}
),

final as (
    select * from every_group
    where {{ is_changed_day() }}
)

select * from final
