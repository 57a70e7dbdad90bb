{{ config(cluster_by=['athlete_id']) }}

with athletes as (
    select * from {{ ref('stg_strava__athletes') }}
    where status != 'revoked'
),

backfills as (
    select * from {{ ref('stg_strava__backfills') }}
),

streamed as (
    select
        athlete_id,
        count(distinct activity_id) as streamed_count
    from {{ ref('stg_strava__streams') }}
    where source = 'api'
    group by athlete_id
),

final as (
    select
        backfills.athlete_id,
        backfills.requested_at,
        backfills.since as since_at,
        backfills.has_details,
        backfills.has_streams,
        coalesce(streamed.streamed_count, 0) as streamed_count,
        backfills.started_at,
        backfills.listed_count,
        backfills.listed_at,
        backfills.waits_until,
        backfills.waits_because,
        backfills.waits_kind,
        backfills.expected_at,
        backfills.finished_at,
        backfills.failed_count,
        backfills.retry_at
    from backfills
    inner join athletes on backfills.athlete_id = athletes.athlete_id
    left join streamed on backfills.athlete_id = streamed.athlete_id
)

select * from final
