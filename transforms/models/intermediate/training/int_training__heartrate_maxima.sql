{{ config(cluster_by=['athlete_id'], tags=['measures_only']) }}

with activities as (
    select * from {{ ref('stg_strava__activities') }}
    where start_date_local is not null
),

months as (
    select
        athlete_id,
        {{ period_start('month', 'start_date_local') }} as month_start_date,
        {{ period_number('month', 'start_date_local') }} as month_number,
        cast(floor(max_heartrate_bpm) as int64) as max_heartrate_bpm,
        count(*) as activity_count,
        sum(case when is_race then 1 else 0 end) as race_count
    from activities
    group by athlete_id, month_start_date, month_number, cast(floor(max_heartrate_bpm) as int64)
),

active_months as (
    select distinct
        athlete_id,
        month_start_date,
        month_number
    from months
),

-- for each month with an activity the maxima of the 24 months before it, as far as a heart can have beaten so
earlier as (
    select
        months.athlete_id,
        months.month_start_date,
        maxima.max_heartrate_bpm,
        sum(maxima.activity_count) as activity_count,
        sum(maxima.race_count) as race_count
    from active_months as months
    inner join months as maxima
        on
            months.athlete_id = maxima.athlete_id
            and maxima.month_number between months.month_number - 24 and months.month_number - 1
    where maxima.max_heartrate_bpm between 100 and 220
    group by months.athlete_id, months.month_start_date, maxima.max_heartrate_bpm
),

counted as (
    select
        *,
        sum(activity_count) over (
            partition by athlete_id, month_start_date
            order by max_heartrate_bpm
        ) as up_to_here,
        sum(activity_count) over (partition by athlete_id, month_start_date) as all_count,
        sum(race_count) over (partition by athlete_id, month_start_date) as all_races
    from earlier
),

final as (
    select
        athlete_id,
        month_start_date,
        min(max_heartrate_bpm) as max_heartrate_bpm,
        cast(max(all_count) as int64) as activity_count,
        cast(max(all_races) as int64) as race_count
    from counted
    -- nearest rank, of ten at the least
    where up_to_here * 1000 >= all_count * 995 and all_count >= 10
    group by athlete_id, month_start_date
)

select * from final
