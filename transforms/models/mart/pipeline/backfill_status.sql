{{ config(cluster_by=['athlete_id']) }}

with athletes as (
    select * from {{ ref('stg_strava__athletes') }}
    where status = 'connected'
),

backfills as (
    select * from {{ ref('stg_strava__backfills') }}
),

final as (
    select
        backfills.athlete_id,
        backfills.requested_at,
        backfills.since as since_at,
        backfills.has_details,
        backfills.started_at,
        backfills.listed_count,
        backfills.listed_at,
        backfills.waits_until,
        backfills.waits_because,
        backfills.expected_at,
        backfills.finished_at
    from backfills
    inner join athletes on backfills.athlete_id = athletes.athlete_id
)

select * from final
