{% set definition_version = 2 %}
{{ config(cluster_by=['athlete_id', 'goal_number', 'period_start_date'], meta={'definition_version': definition_version}) }}

with goal_sports as (
    select * from {{ ref('stg_athlete_file__goals') }}
),

days as (
    select * from {{ ref('int_summaries__daily_by_group') }}
),

goals as (
    select
        goal_id,
        athlete_id,
        goal_number,
        measure,
        period_kind,
        target,
        valid_from,
        valid_to,
        string_agg(sport_group, ', ' order by sport_group) as sport_groups
    from goal_sports
    group by goal_id, athlete_id, goal_number, measure, period_kind, target, valid_from, valid_to
),

-- each day since the first activity, also for a goal in a sport that was never done
goal_days as (
    select
        goals.goal_id,
        days.date_day,
        max(days.date_day) over (partition by days.athlete_id) as today,
        case goals.period_kind
            when 'week' then {{ period_start('week', 'days.date_day') }}
            when 'month' then {{ period_start('month', 'days.date_day') }}
            when 'year' then {{ period_start('year', 'days.date_day') }}
            else coalesce(goals.valid_from, min(days.date_day) over (partition by days.athlete_id))
        end as period_start_date,
        case goals.period_kind
            when 'week' then {{ period_end('week', period_start('week', 'days.date_day')) }}
            when 'month' then {{ period_end('month', period_start('month', 'days.date_day')) }}
            when 'year' then {{ period_end('year', period_start('year', 'days.date_day')) }}
            else goals.valid_to
        end as period_end_date
    from goals
    inner join days on goals.athlete_id = days.athlete_id
    where days.sport_group = 'all'
),

amounts as (
    select
        goal_sports.goal_id,
        days.date_day,
        {{ exact_sum("case goal_sports.measure
            when 'distance_m' then days.distance_m
            when 'moving_time_s' then days.moving_time_s
            when 'elevation_gain_m' then days.elevation_gain_m
            when 'activity_count' then days.activity_count
            when 'calories_kcal' then days.calories_kcal
            when 'load' then days.load
        end") }} as amount
    from goal_sports
    inner join days
        on
            goal_sports.athlete_id = days.athlete_id
            and goal_sports.sport_group = days.sport_group
    group by goal_sports.goal_id, days.date_day
),

-- a period counts in full where the goal holds on any of its days
periods as (
    select
        goals.athlete_id,
        goals.goal_number,
        goals.measure,
        goals.period_kind,
        goals.sport_groups,
        goals.target,
        goal_days.period_start_date,
        goal_days.period_end_date,
        max(goal_days.today) as today,
        coalesce({{ exact_sum('amounts.amount') }}, 0) as done
    from goals
    inner join goal_days on goals.goal_id = goal_days.goal_id
    left join amounts
        on
            goal_days.goal_id = amounts.goal_id
            and goal_days.date_day = amounts.date_day
    where
        (goals.valid_from is null or coalesce(goal_days.period_end_date >= goals.valid_from, true))
        and (goals.valid_to is null or goal_days.period_start_date <= goals.valid_to)
        and (
            goals.period_kind != 'lifetime'
            or (
                (goals.valid_from is null or goal_days.date_day >= goals.valid_from)
                and (goals.valid_to is null or goal_days.date_day <= goals.valid_to)
            )
        )
    group by
        goals.athlete_id, goals.goal_number, goals.measure, goals.period_kind, goals.sport_groups, goals.target,
        goal_days.period_start_date, goal_days.period_end_date
),

counted as (
    select
        *,
        coalesce(today <= period_end_date, true) as is_current,
        {{ days_between('period_start_date', 'least(today, coalesce(period_end_date, today))') }} + 1 as elapsed_days,
        {{ days_between('period_start_date', 'period_end_date') }} + 1 as period_days,
        {{ days_between('today', 'period_end_date') }} + 1 as days_left
    from periods
),

final as (
    select
        athlete_id,
        goal_number,
        measure,
        period_kind,
        sport_groups,
        period_start_date,
        period_end_date,
        is_current,
        target,
        done,
        done / target as share_done,
        target * elapsed_days / period_days as expected,
        case when days_left > 0 then greatest(target - done, 0) / days_left end as needed_per_day,
        done >= target as is_reached,
        elapsed_days,
        period_days,
        cast({{ definition_version }} as int64) as definition_version
    from counted
)

select * from final
