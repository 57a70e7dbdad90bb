{{ config(cluster_by=['athlete_id', 'sport_group']) }}

with days as (
    select * from {{ ref('int_summaries__daily') }}
),

final as (
    {{
        with_every_sport(
            'days', ['activity_count', 'distance_m', 'moving_time_s', 'elevation_gain_m', 'calories_kcal', 'load']
        )
    }}
)

select * from final
