{{ config(cluster_by=['athlete_id']) }}

with athletes as (
    select * from {{ ref('stg_strava__athletes') }}
    where status != 'revoked'
),

latest_events as (
    select * from {{ ref('int_pipeline__latest_events') }}
),

open_events as (
    select * from {{ ref('int_pipeline__open_events') }}
),

activities as (
    select * from {{ ref('fct_activities') }}
),

newest_offset as (
    {{ newest_offsets('activities') }}
),

-- a list that was not read to its end proves nothing: the check before it still tells what is known
reconciliations as (
    select
        *,
        max(case when verdict = 'complete' then finished_at end) over (partition by athlete_id) as last_complete_at,
        row_number() over (
            partition by athlete_id, verdict = 'cut_short'
            order by finished_at desc, reconciliation_id desc
        ) as place
    from {{ ref('stg_strava__reconciliations') }}
),

checked as (
    select * from reconciliations
    where
        verdict != 'cut_short'
        and place = 1
),

cut_short as (
    select * from reconciliations
    where
        verdict = 'cut_short'
        and place = 1
),

-- a later check that was read to its end makes it good
still_cut_short as (
    select cut_short.*
    from cut_short
    left join checked on cut_short.athlete_id = checked.athlete_id
    where
        checked.athlete_id is null
        or checked.finished_at < cut_short.finished_at
),

stored as (
    select
        athlete_id,
        sum(case when is_deleted then 0 else 1 end) as activity_count,
        sum(case when not is_deleted and resource_state = 3 then 1 else 0 end) as detailed_count,
        sum(case when is_deleted then 1 else 0 end) as deleted_count
    from {{ ref('base_strava__activities') }}
    group by athlete_id
),

open_counts as (
    select
        athlete_id,
        sum(case when outcome = 'parked' then 1 else 0 end) as parked_event_count,
        sum(case when outcome = 'deferred' then 1 else 0 end) as deferred_event_count
    from open_events
    group by athlete_id
),

-- no row of this table is about the athlete of these, so each row tells of them
unassigned as (
    select count(*) as parked_event_count
    from open_events
    left join athletes on open_events.athlete_id = athletes.athlete_id
    where
        open_events.outcome = 'parked'
        and athletes.athlete_id is null
),

final as (
    select
        athletes.athlete_id,
        athletes.status as athlete_status,
        athletes.status_since,
        athletes.status_reason,
        newest_offset.utc_offset_s,
        latest_events.last_event_at,
        latest_events.last_event_finished_at,
        latest_events.last_event_outcome,
        cast(coalesce(stored.activity_count, 0) as int64) as activity_count,
        cast(coalesce(stored.detailed_count, 0) as int64) as detailed_count,
        cast(coalesce(stored.activity_count - stored.detailed_count, 0) as int64) as summary_count,
        cast(coalesce(stored.deleted_count, 0) as int64) as deleted_count,
        stored.detailed_count / nullif(stored.activity_count, 0) as backfill_progress,
        cast(coalesce(open_counts.parked_event_count, 0) as int64) as parked_event_count,
        cast(coalesce(open_counts.deferred_event_count, 0) as int64) as deferred_event_count,
        unassigned.parked_event_count as unassigned_parked_event_count,
        checked.finished_at as last_reconciled_at,
        checked.verdict as reconcile_verdict,
        checked.reason as reconcile_reason,
        checked.strava_count as reconcile_strava_count,
        checked.warehouse_count as reconcile_warehouse_count,
        checked.missing_count,
        checked.extra_count,
        checked.changed_count,
        checked.repaired_count,
        checked.last_complete_at,
        still_cut_short.finished_at as cut_short_at,
        still_cut_short.reason as cut_short_reason,
        coalesce(still_cut_short.retry_at, checked.retry_at) as reconcile_retry_at,
        {{ as_of() }} as last_transform_started_at
    from athletes
    cross join unassigned
    left join stored on athletes.athlete_id = stored.athlete_id
    left join newest_offset on athletes.athlete_id = newest_offset.athlete_id
    left join latest_events on athletes.athlete_id = latest_events.athlete_id
    left join open_counts on athletes.athlete_id = open_counts.athlete_id
    left join checked on athletes.athlete_id = checked.athlete_id
    left join still_cut_short on athletes.athlete_id = still_cut_short.athlete_id
)

select * from final
