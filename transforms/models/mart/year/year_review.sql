{% set definition_version = 2 %}
{%- set car_co2_kg_per_km = 0.2178 %}  {#- a convention of other dashboards without a reference #}
{{ config(cluster_by=['athlete_id', 'sport_group', 'year'], meta={'definition_version': definition_version}) }}

{%- set parts_of_day = {
    'night': 'start_hour < 6 or start_hour >= 23',
    'morning': 'start_hour >= 6 and start_hour < 12',
    'afternoon': 'start_hour >= 12 and start_hour < 17',
    'evening': 'start_hour >= 17 and start_hour < 23',
} %}
{%- set most = [
    ('longest_distance_m', 'activity', 'distance_m', 'longest_distance_activity_id'),
    ('longest_time_s', 'activity', 'moving_time_s', 'longest_time_activity_id'),
    ('most_elevation_m', 'activity', 'elevation_gain_m', 'most_elevation_activity_id'),
    ('biggest_day_distance_m', 'day', 'distance_m', 'biggest_day_distance_date'),
    ('biggest_day_time_s', 'day', 'moving_time_s', 'biggest_day_time_date'),
    ('biggest_week_distance_m', 'week', 'distance_m', 'biggest_week_distance_date'),
    ('biggest_week_time_s', 'week', 'moving_time_s', 'biggest_week_time_date'),
] %}

with days as (
    select
        *,
        {{ date_number('year', 'date_day') }} as year,
        max(date_day) over (partition by athlete_id) as today
    from {{ ref('int_summaries__daily_by_group') }}
),

years as (
    select
        athlete_id,
        sport_group,
        year,
        min(date_day) as first_day,
        max(date_day) as last_day,
        max(today) as today,
        sum(case when activity_count > 0 then 1 else 0 end) as active_day_count,
        {%- for column in ['activity_count', 'distance_m', 'moving_time_s', 'elevation_gain_m', 'calories_kcal', 'load'] %}
        {{ total(column) }} as {{ column }},
        {%- endfor %}
        count(*) as day_count
    from days
    group by athlete_id, sport_group, year
),

streaks as (
    select * from {{ ref('streak') }}
    where period_kind = 'day'
),

longest as (
    select
        athlete_id,
        sport_group,
        {%- for column, span, measure, whose in most %}
        max(case when span_kind = '{{ span }}' and measure = '{{ measure }}' then record_value end) as {{ column }},
        max(
            case
                when span_kind = '{{ span }}' and measure = '{{ measure }}'
                    then {{ 'activity_id' if span == 'activity' else 'span_start_date' }}
            end
        ) as {{ whose }},
        {%- endfor %}
        period
    from {{ ref('record_longest') }}
    group by athlete_id, sport_group, period
),

starts as (
    select
        athlete_id,
        sport_group,
        {{ date_number('year', 'date_day') }} as year,
        activity_count,
        case
            when start_hour is null then 'untimed'
            {%- for part, condition in parts_of_day.items() %}
            when {{ condition }} then '{{ part }}'
            {%- endfor %}
        end as part_of_day
    from {{ ref('start_pattern') }}
),

of_any_sport as (
    select * from starts
    union all
    select
        athlete_id,
        'all' as sport_group,
        year,
        activity_count,
        part_of_day
    from starts
),

parts_of_day as (
    select
        athlete_id,
        sport_group,
        {%- for part in parts_of_day.keys() | list + ['untimed'] %}
        sum(case when part_of_day = '{{ part }}' then activity_count else 0 end) as {{ part }}_count,
        {%- endfor %}
        year
    from of_any_sport
    group by athlete_id, sport_group, year
),

commutes as (
    select
        athlete_id,
        sport_group,
        {{ date_number('year', 'start_date_local') }} as year,
        {{ exact_sum('distance_m') }} as distance_m
    from {{ ref('fct_activities') }}
    where
        is_commute
        and not is_assisted
        and {{ day_has_come() }}
    group by athlete_id, sport_group, year
),

commutes_of_any_sport as (
    select * from commutes
    union all
    select
        athlete_id,
        'all' as sport_group,
        year,
        {{ exact_sum('distance_m') }} as distance_m
    from commutes
    group by athlete_id, year
),

-- a record and a first activity are one of its sport, and of all sports together
reached as (
    select
        athlete_id,
        sport_group,
        milestone_kind,
        {{ date_number('year', 'reached_on') }} as year
    from {{ ref('milestone') }}
    where milestone_kind in ('record', 'first_activity', 'first_gear', 'first_country')
    union all
    select
        athlete_id,
        'all' as sport_group,
        milestone_kind,
        {{ date_number('year', 'reached_on') }} as year
    from {{ ref('milestone') }}
    where milestone_kind in ('record', 'first_activity')
),

firsts as (
    select
        athlete_id,
        sport_group,
        year,
        sum(case when milestone_kind = 'record' then 1 else 0 end) as record_count,
        sum(case when milestone_kind != 'record' then 1 else 0 end) as first_count
    from reached
    group by athlete_id, sport_group, year
),

final as (
    select
        years.athlete_id,
        years.sport_group,
        years.year,
        years.year = {{ date_number('year', 'years.today') }} as is_running,
        years.first_day,
        years.last_day,
        years.day_count,
        cast(years.active_day_count as int64) as active_day_count,
        cast(years.day_count - years.active_day_count as int64) as rest_day_count,
        years.activity_count,
        years.distance_m,
        years.moving_time_s,
        years.elevation_gain_m,
        years.calories_kcal,
        years.load,
        coalesce(streaks.longest_length, 0) as longest_streak_days,
        streaks.longest_start_date as longest_streak_start_date,
        streaks.longest_end_date as longest_streak_end_date,
        {%- for column, span, measure, whose in most %}
        longest.{{ column }},
        longest.{{ whose }},
        {%- endfor %}
        {%- for part in parts_of_day.keys() | list + ['untimed'] %}
        cast(coalesce(parts_of_day.{{ part }}_count, 0) as int64) as {{ part }}_count,
        {%- endfor %}
        cast(coalesce(firsts.record_count, 0) as int64) as record_count,
        cast(coalesce(firsts.first_count, 0) as int64) as first_count,
        coalesce(commuted.distance_m, 0) as commute_distance_m,
        coalesce(commuted.distance_m, 0) / 1000 * {{ car_co2_kg_per_km }} as commute_co2_kg,
        cast({{ definition_version }} as int64) as definition_version
    from years
    left join streaks
        on
            years.athlete_id = streaks.athlete_id
            and years.sport_group = streaks.sport_group
            and cast(years.year as {{ dbt.type_string() }}) = streaks.period
    left join longest
        on
            years.athlete_id = longest.athlete_id
            and years.sport_group = longest.sport_group
            and cast(years.year as {{ dbt.type_string() }}) = longest.period
    left join parts_of_day
        on
            years.athlete_id = parts_of_day.athlete_id
            and years.sport_group = parts_of_day.sport_group
            and years.year = parts_of_day.year
    left join firsts
        on
            years.athlete_id = firsts.athlete_id
            and years.sport_group = firsts.sport_group
            and years.year = firsts.year
    left join commutes_of_any_sport as commuted
        on
            years.athlete_id = commuted.athlete_id
            and years.sport_group = commuted.sport_group
            and years.year = commuted.year
)

select * from final
