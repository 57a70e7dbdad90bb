{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'date_day'],
        on_schema_change='fail',
        pre_hook="{{ forgotten_where(is_touched_day()) }}",
        cluster_by=['athlete_id', 'sport_group'],
        tags=['measures_only'],
    )
}}

{%- set measures = [
    'distance_m', 'real_distance_m', 'moving_time_s', 'elapsed_time_s', 'elevation_gain_m', 'energy_kj', 'calories_kcal'
] %}

with activities as (
    select
        athlete_id,
        sport_group,
        start_date_local as date_day,
        {{ credible_distance_m() }} as distance_m,
        case when not is_virtual then {{ credible_distance_m() }} end as real_distance_m,
        {{ credible_moving_time_s() }} as moving_time_s,
        {{ credible_elapsed_time_s() }} as elapsed_time_s,
        {{ climbed_outdoors_m() }} as elevation_gain_m,
        energy_kj,
        calories_kcal
    from {{ ref('fct_activities') }}
    where
        not is_assisted
        and {{ day_has_come() }}
        and {{ is_touched_day('start_date_local') }}
),

days as (
    select
        athlete_id,
        sport_group,
        {%- for measure in measures %}
        {{ total(measure) }} as {{ measure }},
        {%- endfor %}
        date_day
    from activities
    group by athlete_id, sport_group, date_day
),

final as (
    {{ with_every_sport('days', measures) }}
)

select * from final
