{% set definition_version = 2 %}
{{ config(cluster_by=['athlete_id', 'sport_group'], meta={'definition_version': definition_version}, tags=['measures_only']) }}

{%- set sums = ['distance_m', 'moving_time_s', 'elapsed_time_s', 'elevation_gain_m', 'energy_kj', 'calories_kcal'] %}
{%- set measures = sums + ['elevation_high_m', 'average_speed_kmh'] %}
{%- set float64 = 'float64' if target.type == 'bigquery' else 'double' %}

with activities as (
    select
        athlete_id,
        sport_group,
        'activity' as span_kind,
        start_date_local as span_start_date,
        {{ date_number('year', 'start_date_local') }} as year,
        activity_id,
        {{ credible_distance_m() }} as distance_m,
        {{ credible_moving_time_s() }} as moving_time_s,
        {{ credible_elapsed_time_s() }} as elapsed_time_s,
        {{ climbed_outdoors_m() }} as elevation_gain_m,
        energy_kj,
        calories_kcal,
        case when {{ is_outdoors() }} then elevation_high_m end as elevation_high_m,
        case
            when {{ is_outdoors() }} and not is_speed_inconsistent and not is_moving_time_implausible and moving_time_s >= 1200
                then distance_m * 3.6 / moving_time_s
        end as average_speed_kmh
    from {{ ref('fct_activities') }}
    where
        not is_assisted
        and {{ day_has_come() }}
),

days as (
    select
        *,
        {{ period_start('week', 'date_day') }} as week_start_date
    from {{ ref('int_records__daily') }}
),

weeks as (
    select
        athlete_id,
        sport_group,
        {%- for sum in sums %}
        {{ exact_sum(sum) }} as {{ sum }},
        {%- endfor %}
        week_start_date
    from days
    group by athlete_id, sport_group, week_start_date
),

spans as (
    select * from activities
    union all
    select
        athlete_id,
        sport_group,
        'day' as span_kind,
        date_day as span_start_date,
        {{ date_number('year', 'date_day') }} as year,
        cast(null as int64) as activity_id,
        {{ sums | join(',\n        ') }},
        cast(null as {{ float64 }}) as elevation_high_m,
        cast(null as {{ float64 }}) as average_speed_kmh
    from days
    union all
    select
        athlete_id,
        sport_group,
        'week' as span_kind,
        week_start_date as span_start_date,
        {{ date_number('isoyear', 'week_start_date') }} as year,
        cast(null as int64) as activity_id,
        {{ sums | join(',\n        ') }},
        cast(null as {{ float64 }}) as elevation_high_m,
        cast(null as {{ float64 }}) as average_speed_kmh
    from weeks
),

most as (
    select
        athlete_id,
        sport_group,
        span_kind,
        {%- for measure in measures %}
        max({{ measure }}) as {{ measure }},
        {%- endfor %}
        year
    from spans
    group by athlete_id, sport_group, span_kind, year
),

-- what is the most of its year in any measure
candidates as (
    select
        {%- for measure in measures %}
        most.{{ measure }} as most_{{ measure }},
        {%- endfor %}
        spans.*
    from spans
    inner join most
        on
            spans.athlete_id = most.athlete_id
            and spans.sport_group = most.sport_group
            and spans.span_kind = most.span_kind
            and spans.year = most.year
    where
        false
        {%- for measure in measures %}
        or spans.{{ measure }} = most.{{ measure }}
        {%- endfor %}
),

-- the best of each year, and once for each day or week that equals it
equals as (
    {%- for measure in measures %}
    select
        athlete_id,
        sport_group,
        span_kind,
        '{{ measure }}' as measure,
        cast(year as {{ dbt.type_string() }}) as period,
        cast({{ measure }} as {{ float64 }}) as record_value,
        span_start_date,
        min(activity_id) as activity_id
    from candidates
    where
        {{ measure }} > 0
        and {{ measure }} = most_{{ measure }}
    group by athlete_id, sport_group, span_kind, year, {{ measure }}, span_start_date
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- days and weeks of all sports together are sums of their own; of activities it is the best of any sport
of_any_sport as (
    select * from equals
    union all
    select
        athlete_id,
        'all' as sport_group,
        span_kind,
        measure,
        period,
        record_value,
        span_start_date,
        activity_id
    from equals
    where span_kind = 'activity'
),

of_any_year as (
    select * from of_any_sport
    union all
    select
        athlete_id,
        sport_group,
        span_kind,
        measure,
        'all' as period,
        record_value,
        span_start_date,
        activity_id
    from of_any_sport
),

ranked as (
    select
        *,
        row_number() over (
            partition by athlete_id, sport_group, span_kind, measure, period
            order by record_value desc, span_start_date asc, activity_id asc
        ) as place
    from of_any_year
),

final as (
    select
        athlete_id,
        sport_group,
        span_kind,
        measure,
        period,
        record_value,
        span_start_date,
        activity_id,
        cast({{ definition_version }} as int64) as definition_version
    from ranked
    where place = 1
)

select * from final
