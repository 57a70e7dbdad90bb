{% set definition_version = 3 %}
{{ config(cluster_by=['athlete_id'], meta={'definition_version': definition_version}, tags=['measures_only']) }}

{%- set targets = {'5K': 5000, '10K': 10000, 'Half-Marathon': 21097.5, 'Marathon': 42195} %}
{%- set steps = 12 %}

with todays as (
    select
        athlete_id,
        max(date_day) as today
    from {{ ref('int_summaries__daily') }}
    group by athlete_id
),

efforts as (
    select
        best.*,
        {{ days_between('best.start_date_local', 'todays.today') }} as days_ago
    from {{ ref('record_best_effort') }} as best
    inner join todays on best.athlete_id = todays.athlete_id
    where
        best.excluded_reason is null
        and best.sport_group = 'run'
        and best.start_date_local <= todays.today
),

ranked as (
    select
        *,
        row_number() over (
            partition by athlete_id, effort_name order by elapsed_time_s, start_date_local, start_at nulls last, activity_id
        ) as place
    from efforts
    where days_ago < 180
),

recent as (
    select
        *,
        cast(elapsed_time_s as {{ 'float64' if target.type == 'bigquery' else 'double' }}) as time_s
    from ranked
    where place = 1
),

logarithms as (
    select
        athlete_id,
        activity_id,
        distance_m,
        ln(distance_m) as x,
        ln(time_s) as y
    from recent
    where distance_m between 1500 and 21100
),

sums as (
    select
        athlete_id,
        count(*) as n,
        count(distinct activity_id) as activity_count,
        max(distance_m) / min(distance_m) as spread,
        {{ exact_sum('x', scale=9) }} as sum_x,
        {{ exact_sum('y', scale=9) }} as sum_y,
        {{ exact_sum('x * y', scale=9) }} as sum_xy,
        {{ exact_sum('x * x', scale=9) }} as sum_xx
    from logarithms
    group by athlete_id
),

exponents as (
    select
        athlete_id,
        n,
        case
            -- the parts of one run tell how it was paced, not how the athlete slows down with distance
            when n >= 3 and activity_count >= 3 and spread >= 3
                then least(greatest((n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x), 1.03), 1.15)
        end as own_exponent
    from sums
),

-- as far as Riegel's and Daniels' formulas reach
compared as (
    select
        *,
        {{ vdot('distance_m', 'time_s') }} as vdot
    from recent
    where
        distance_m between 1500 and 42200
        and time_s between 210 and 14400
),

best_of_them as (
    select
        *,
        row_number() over (partition by athlete_id order by vdot desc, distance_m desc) as strength
    from compared
),

targets as (
    {%- for name, distance in targets.items() %}
    select
        '{{ name }}' as effort_name,
        {{ distance }} * 1e0 as distance_m
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

by_riegel as (
    select
        best_of_them.athlete_id,
        targets.effort_name,
        targets.distance_m,
        best_of_them.time_s
        * power(targets.distance_m / best_of_them.distance_m, coalesce(exponents.own_exponent, 1.06)) as predicted_time_s,
        coalesce(exponents.own_exponent, 1.06) as exponent,
        exponents.own_exponent is not null as is_own_exponent,
        coalesce(exponents.n, 0) as exponent_effort_count,
        best_of_them.vdot,
        best_of_them.effort_name as reference_effort_name,
        best_of_them.distance_m as reference_distance_m,
        best_of_them.elapsed_time_s as reference_time_s,
        best_of_them.activity_id as reference_activity_id,
        best_of_them.start_date_local as reference_date
    from best_of_them
    left join exponents on best_of_them.athlete_id = exponents.athlete_id
    cross join targets
    where best_of_them.strength = 1
),

vdot_0 as (
    select
        *,
        predicted_time_s / 60 as minutes
    from by_riegel
),

{%- for step in range(1, steps + 1) %}

vdot_{{ step }} as (
    select
        * {{ except(['minutes']) }},
        {{ vdot_next_minutes('distance_m', 'vdot', 'minutes') }} as minutes
    from vdot_{{ step - 1 }}
),
{%- endfor %}

bests as (
    select
        athlete_id,
        effort_name,
        min(elapsed_time_s) as best_time_s
    from efforts
    group by athlete_id, effort_name
),

final as (
    select
        predicted.athlete_id,
        predicted.effort_name,
        predicted.distance_m,
        predicted.predicted_time_s,
        predicted.minutes * 60 as vdot_time_s,
        bests.best_time_s,
        predicted.exponent,
        predicted.is_own_exponent,
        predicted.exponent_effort_count,
        predicted.vdot,
        predicted.reference_effort_name,
        predicted.reference_distance_m,
        predicted.reference_time_s,
        predicted.reference_activity_id,
        predicted.reference_date,
        cast({{ definition_version }} as int64) as definition_version
    from vdot_{{ steps }} as predicted
    left join bests
        on
            predicted.athlete_id = bests.athlete_id
            and predicted.effort_name = bests.effort_name
)

select * from final
