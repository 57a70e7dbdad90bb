{% set definition_version = 5 %}
{{ config(cluster_by=['athlete_id', 'sport_group'], meta={'definition_version': definition_version}, tags=['measures_only']) }}

{%- set distances = [100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000] %}
{%- set climbs = [500, 1000, 2500, 5000, 8849, 10000, 25000, 50000, 100000, 250000, 500000, 1000000] %}
{%- set totals = [
    ('count', 'activities', 'activity_count', 1, [10, 50, 100, 250, 500, 1000, 2500, 5000, 10000]),
    ('distance', 'km', 'distance_m', 1000, distances),
    ('distance', 'mi', 'distance_m', 1609.344, distances),
    ('elevation', 'm', 'elevation_gain_m', 1, climbs),
    ('elevation', 'ft', 'elevation_gain_m', 0.3048, climbs),
    ('time', 'h', 'moving_time_s', 3600, [24, 50, 100, 250, 500, 1000, 2500, 5000, 10000]),
] %}
{%- set gear_distances = [1000, 2500, 5000, 10000, 25000, 50000, 100000] %}
{%- set streak_days = [7, 14, 30, 50, 100, 200, 365, 500, 730] %}
{%- set text = dbt.type_string() %}
{%- set float64 = 'float64' if target.type == 'bigquery' else 'double' %}

-- two of one name are one to who named them
with gear_days as (
    select
        athlete_id,
        coalesce(gear_name, gear_id) as gear,
        start_date_local as date_day,
        {{ exact_sum('coalesce(distance_m, 0)') }} as distance_m
    from {{ ref('fct_activities') }}
    where
        gear_id is not null
        and {{ day_has_come() }}
    group by athlete_id, gear, start_date_local
),

gear_so_far as (
    select
        athlete_id,
        gear,
        date_day,
        {{ exact_sum('distance_m', 'over (partition by athlete_id, gear order by date_day)') }} as distance_m
    from gear_days
),

gear_reached as (
    {%- for unit, size in [('km', 1000), ('mi', 1609.344)] %}
    select
        so_far.athlete_id,
        '{{ unit }}' as unit,
        cast(threshold as {{ float64 }}) as milestone_value,  -- noqa: RF02,RF03
        min(so_far.date_day) as reached_on,
        so_far.gear
    from gear_so_far as so_far
    {{ each('[' ~ gear_distances | join(', ') ~ ']', 'threshold') }}
    where so_far.distance_m >= threshold * {{ size }}  -- noqa: RF02,RF03
    group by so_far.athlete_id, threshold, so_far.gear  -- noqa: RF02,RF03
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

gear_firsts as (
    select
        athlete_id,
        gear,
        min(date_day) as reached_on
    from gear_days
    group by athlete_id, gear
),

country_firsts as (
    select
        athlete_id,
        country_code,
        first_day
    from {{ ref('year_country') }}
    where
        sport_group = 'all'
        and is_first_year
),

days as (
    select *
    from {{ ref('int_summaries__daily_by_group') }}
    where activity_count > 0
),

so_far as (
    select
        athlete_id,
        sport_group,
        {%- for column in ['activity_count', 'distance_m', 'elevation_gain_m', 'moving_time_s'] %}
        {{ exact_sum(column, 'over (partition by athlete_id, sport_group order by date_day)') }} as {{ column }},
        {%- endfor %}
        date_day
    from days
),

-- how many of the thresholds each sum has reached
counted as (
    select
        {%- for kind, unit, column, size, values in totals %}
        {{ count_of_reached(column, values, size) }} as {{ kind }}_{{ unit }},
        {%- endfor %}
        *
    from so_far
),

passing as (
    select
        {%- for kind, unit, column, size, values in totals %}
        {%- set name = kind ~ '_' ~ unit %}
        lag({{ name }}, 1, 0) over (partition by athlete_id, sport_group order by date_day) as {{ name }}_before,
        {%- endfor %}
        *
    from counted
),

reached as (
    {%- for kind, unit, column, size, values in totals %}
    select
        passing.athlete_id,
        passing.sport_group,
        '{{ kind }}' as milestone_kind,
        '{{ unit }}' as unit,
        cast(threshold as {{ float64 }}) as milestone_value,  -- noqa: RF02,RF03
        min(passing.date_day) as reached_on
    from passing
    {{ each('[' ~ values | join(', ') ~ ']', 'threshold') }}
    where
        passing.{{ kind }}_{{ unit }} > passing.{{ kind }}_{{ unit }}_before
        and passing.{{ column }} >= threshold * {{ size }}  -- noqa: RF02,RF03
    group by passing.athlete_id, passing.sport_group, threshold  -- noqa: RF02,RF03
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

eddington_steps as (
    select
        athlete_id,
        sport_group,
        unit,
        cast(n as {{ float64 }}) as milestone_value,
        reached_on
    from {{ ref('eddington_step') }}
    where
        period = 'all'
        and counts_virtual
        and reached_on is not null
),

streaks as (
    select
        runs.athlete_id,
        runs.sport_group,
        cast(streak_length as {{ float64 }}) as milestone_value,  -- noqa: RF02,RF03
        min({{ days_later('runs.start_date', 'streak_length - 1') }}) as reached_on
    from (
        select * from {{ ref('streak_run') }}
        where
            period_kind = 'day'
            and period = 'all'
    ) as runs
    {{ each('[' ~ streak_days | join(', ') ~ ']', 'streak_length') }}
    where runs.length >= streak_length  -- noqa: RF02,RF03
    group by runs.athlete_id, runs.sport_group, streak_length  -- noqa: RF02,RF03
),

records as (
    select * from {{ ref('record_progression') }}
    where not is_tie
),

activities as (
    select * from {{ ref('fct_activities') }}
    where {{ day_has_come() }}
),

first_days as (
    select
        athlete_id,
        sport_type,
        min(start_date_local) as first_day
    from activities
    group by athlete_id, sport_type
),

firsts as (
    select
        activities.athlete_id,
        activities.sport_group,
        activities.sport_type,
        activities.start_date_local,
        activities.activity_id,
        row_number() over (
            partition by activities.athlete_id, activities.sport_type
            order by activities.start_at nulls last, activities.activity_id
        ) as place
    from activities
    inner join first_days
        on
            activities.athlete_id = first_days.athlete_id
            and activities.sport_type = first_days.sport_type
            and activities.start_date_local = first_days.first_day
),

united as (
    select
        *,
        cast(null as {{ text }}) as subject,
        cast(null as int64) as activity_id
    from reached
    union all
    select
        athlete_id,
        sport_group,
        'eddington' as milestone_kind,
        unit,
        milestone_value,
        reached_on,
        cast(null as {{ text }}) as subject,
        cast(null as int64) as activity_id
    from eddington_steps
    union all
    select
        athlete_id,
        sport_group,
        'streak' as milestone_kind,
        'days' as unit,
        milestone_value,
        reached_on,
        cast(null as {{ text }}) as subject,
        cast(null as int64) as activity_id
    from streaks
    union all
    select
        athlete_id,
        sport_group,
        'record' as milestone_kind,
        's' as unit,
        cast(elapsed_time_s as {{ float64 }}) as milestone_value,
        start_date_local as reached_on,
        effort_name as subject,
        activity_id
    from records
    union all
    select
        athlete_id,
        sport_group,
        'first_activity' as milestone_kind,
        'activities' as unit,
        cast(1 as {{ float64 }}) as milestone_value,
        start_date_local as reached_on,
        sport_type as subject,
        activity_id
    from firsts
    where place = 1
    union all
    select
        athlete_id,
        'all' as sport_group,
        'first_gear' as milestone_kind,
        'activities' as unit,
        cast(1 as {{ float64 }}) as milestone_value,
        reached_on,
        gear as subject,
        cast(null as int64) as activity_id
    from gear_firsts
    union all
    select
        athlete_id,
        'all' as sport_group,
        'first_country' as milestone_kind,
        'activities' as unit,
        cast(1 as {{ float64 }}) as milestone_value,
        first_day as reached_on,
        country_code as subject,
        cast(null as int64) as activity_id
    from country_firsts
    union all
    select
        athlete_id,
        'all' as sport_group,
        'gear_distance' as milestone_kind,
        unit,
        milestone_value,
        reached_on,
        gear as subject,
        cast(null as int64) as activity_id
    from gear_reached
),

final as (
    select
        athlete_id,
        sport_group,
        milestone_kind,
        unit,
        coalesce(subject, '') as subject,
        milestone_value,
        reached_on,
        activity_id,
        cast({{ definition_version }} as int64) as definition_version
    from united
)

select * from final
