{% set definition_version = 4 %}
{{ config(cluster_by=['athlete_id', 'sport_group', 'effort_name'], meta={'definition_version': definition_version}) }}

{%- set earlier = "order by start_date_local, start_at nulls last, activity_id" %}

with todays as (
    select
        athlete_id,
        max(date_day) as today
    from {{ ref('int_summaries__daily') }}
    group by athlete_id
),

-- who was slower than in a month before is no record: few are left to be put in order
of_month as (
    select
        best.athlete_id,
        best.sport_group,
        best.effort_name,
        {{ period_start('month', 'best.start_date_local') }} as month_start_date,
        todays.today,
        min(best.elapsed_time_s) as best_time_s
    from {{ ref('record_best_effort') }} as best
    inner join todays on best.athlete_id = todays.athlete_id
    where
        best.excluded_reason is null
        and best.start_date_local <= todays.today
    group by best.athlete_id, best.sport_group, best.effort_name, month_start_date, todays.today
),

before_month as (
    select
        *,
        min(best_time_s) over (
            partition by athlete_id, sport_group, effort_name
            order by month_start_date
            rows between unbounded preceding and 1 preceding
        ) as previous_time_s
    from of_month
),

record_months as (
    select * from before_month
    where
        previous_time_s is null
        or best_time_s <= previous_time_s
),

candidates as (
    select
        best.*,
        months.today
    from {{ ref('record_best_effort') }} as best
    inner join record_months as months
        on
            best.athlete_id = months.athlete_id
            and best.sport_group = months.sport_group
            and best.effort_name = months.effort_name
            and {{ period_start('month', 'best.start_date_local') }} = months.month_start_date
    where
        best.excluded_reason is null
        and best.start_date_local <= months.today
        and (months.previous_time_s is null or best.elapsed_time_s <= months.previous_time_s)
),

compared as (
    select
        *,
        min(elapsed_time_s) over (
            partition by athlete_id, sport_group, effort_name {{ earlier }}
            rows between unbounded preceding and 1 preceding
        ) as previous_time_s
    from candidates
),

steps as (
    select
        *,
        coalesce(elapsed_time_s = previous_time_s, false) as is_tie
    from compared
    where
        previous_time_s is null
        or elapsed_time_s <= previous_time_s
),

stood as (
    select
        *,
        sum(case when is_tie then 0 else 1 end) over (
            partition by athlete_id, sport_group, effort_name {{ earlier }}
            rows between unbounded preceding and current row
        ) as record_number,
        case
            when not is_tie
                then lead(start_date_local) over (partition by athlete_id, sport_group, effort_name, is_tie {{ earlier }})
        end as stood_until
    from steps
),

final as (
    select
        athlete_id,
        sport_group,
        effort_name,
        activity_id,
        cast(record_number as int64) as record_number,
        is_tie,
        not is_tie and stood_until is null as is_current,
        distance_m,
        elapsed_time_s,
        previous_time_s,
        previous_time_s - elapsed_time_s as improvement_s,
        stood_until,
        case when not is_tie then {{ days_between('start_date_local', 'coalesce(stood_until, today)') }} end as days_stood,
        activity_name,
        sport_type,
        start_at,
        start_date_local,
        cast({{ definition_version }} as int64) as definition_version
    from stood
)

select * from final
