{{ config(cluster_by=['athlete_id'], tags=['every_run']) }}

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

readings as (
    select * from {{ ref('stg_strava__pipeline_readings') }}
),

purges as (
    select
        count(*) as purge_count,
        max(purged_at) as last_purged_at
    from {{ ref('stg_strava__purges') }}
),

verdicts as (
    select * from {{ ref('int_pipeline__verdicts') }}
),

stored as (
    select
        athlete_id,
        sum(case when is_deleted then 0 else 1 end) as activity_count,
        sum(case when source in ('archive', 'file') and not coalesce(is_expired, false) then 1 else 0 end) as file_only_count,
        sum(case when source in ('archive', 'file') then 1 else 0 end) as without_api_count,
        sum(case when not is_deleted and resource_state = 3 then 1 else 0 end) as detailed_count,
        sum(case when is_deleted then 1 else 0 end) as deleted_count
    from {{ ref('base_strava__activities') }}
    group by athlete_id
),

open_counts as (
    select
        athlete_id,
        sum(case when outcome = 'parked' then 1 else 0 end) as parked_event_count,
        sum(case when outcome = 'deferred' then 1 else 0 end) as deferred_event_count,
        sum(case when is_in_queue then 1 else 0 end) as requeued_event_count
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
        cast(coalesce(stored.activity_count - stored.without_api_count - stored.detailed_count, 0) as int64) as summary_count,
        cast(coalesce(stored.file_only_count, 0) as int64) as file_only_count,
        cast(coalesce(stored.deleted_count, 0) as int64) as deleted_count,
        stored.detailed_count / nullif(stored.activity_count - stored.without_api_count, 0) as backfill_progress,
        cast(coalesce(open_counts.parked_event_count, 0) as int64) as parked_event_count,
        cast(coalesce(open_counts.deferred_event_count, 0) as int64) as deferred_event_count,
        unassigned.parked_event_count as unassigned_parked_event_count,
        -- what the queue brings again is among its messages, as far as it was read when the rows were there
        cast(
            greatest(coalesce(readings.queued_count, 0), coalesce(open_counts.requeued_event_count, 0))
            + coalesce(open_counts.deferred_event_count - open_counts.requeued_event_count, 0)
            + coalesce(open_counts.parked_event_count, 0)
            + unassigned.parked_event_count as int64
        ) as waiting_event_count,
        verdicts.last_reconciled_at,
        verdicts.reconcile_verdict,
        verdicts.reconcile_reason,
        verdicts.stopped_kind,
        verdicts.reconcile_strava_count,
        verdicts.reconcile_warehouse_count,
        verdicts.missing_count,
        verdicts.extra_count,
        verdicts.changed_count,
        verdicts.repaired_count,
        verdicts.unreadable_count,
        verdicts.last_complete_at,
        verdicts.differs_since,
        verdicts.cut_short_at,
        verdicts.cut_short_reason,
        verdicts.cut_short_kind,
        verdicts.reconcile_retry_at,
        readings.read_at as reading_at,
        readings.lapsed_since,
        readings.closed_until,
        readings.closed_because,
        readings.closed_kind,
        {%- for lane in ['live', 'reconcile', 'detail', 'streams'] %}
        coalesce(readings.{{ lane }}_refused_count, 0) as {{ lane }}_refused_count,
        {%- endfor %}
        coalesce(readings.queued_count, 0) as queued_count,
        readings.queued_since,
        purges.purge_count,
        purges.last_purged_at,
        {{ as_of() }} as last_transform_started_at
    from athletes
    cross join unassigned
    cross join purges
    left join readings on readings.reading = 'current'
    left join stored on athletes.athlete_id = stored.athlete_id
    left join newest_offset on athletes.athlete_id = newest_offset.athlete_id
    left join latest_events on athletes.athlete_id = latest_events.athlete_id
    left join open_counts on athletes.athlete_id = open_counts.athlete_id
    left join verdicts on athletes.athlete_id = verdicts.athlete_id
)

select * from final
