-- One row per connected athlete.
-- Named columns: marts of another version are refused here, before a page misses one.
select
    athlete_id,
    utc_offset_s,
    last_event_at,
    last_event_finished_at,
    last_event_outcome,
    activity_count,
    detailed_count,
    summary_count,
    deleted_count,
    backfill_progress,
    parked_event_count,
    deferred_event_count,
    unassigned_parked_event_count,
    last_reconciled_at,
    reconcile_verdict,
    reconcile_reason,
    reconcile_strava_count,
    reconcile_warehouse_count,
    missing_count,
    extra_count,
    changed_count,
    repaired_count,
    last_complete_at,
    cut_short_at,
    cut_short_reason,
    reconcile_retry_at,
    last_transform_started_at
from mart.pipeline_health
order by athlete_id
