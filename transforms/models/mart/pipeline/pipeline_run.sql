{{ config(materialized='view') }}

with runs as (
    select * from {{ portable(ref('stg_strava__transform_runs')) }}
),

checks as (
    select * from {{ portable(ref('stg_strava__reconciliations')) }}
),

-- the marts were built for everybody, a check is of one athlete
all_runs as (
    select
        run_id,
        'transform' as run_kind,
        cast(null as int64) as athlete_id,
        started_at,
        coalesce(published_at, finished_at) as finished_at,
        case
            when published_at is null then 'failed'
            when is_full_refresh then 'rebuilt'
            else 'published'
        end as result,
        error as reason,
        cast(null as string) as stopped_kind,
        cast(null as int64) as extra_count,
        cast(null as int64) as left_count,
        cast(null as int64) as unreadable_count
    from runs
    union all
    select
        reconciliation_id as run_id,
        'daily' as run_kind,
        athlete_id,
        started_at,
        finished_at,
        verdict as result,
        reason,
        stopped_kind,
        extra_count,
        missing_count + extra_count + changed_count - repaired_count as left_count,
        unreadable_count
    from checks
),

final as (
    select
        run_id,
        run_kind,
        athlete_id,
        started_at,
        finished_at,
        {{ seconds_between('started_at', 'finished_at') }} as duration_s,
        result,
        reason,
        stopped_kind,
        extra_count,
        left_count,
        unreadable_count,
        row_number() over (partition by run_kind, athlete_id order by started_at desc, run_id desc) as recency
    from all_runs
)

select * from final
