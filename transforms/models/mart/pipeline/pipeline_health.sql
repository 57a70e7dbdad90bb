{{ config(cluster_by=['athlete_id']) }}

with athletes as (
    select * from {{ ref('stg_strava__athletes') }}
    where status = 'connected'
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

reconciliations as (
    select
        *,
        missing_count + extra_count + changed_count as difference_count,
        row_number() over (partition by athlete_id order by finished_at desc nulls last, reconciliation_id desc) as place
    from {{ ref('stg_strava__reconciliations') }}
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
        reconciliations.finished_at as last_reconciled_at,
        case
            when reconciliations.difference_count <= reconciliations.repaired_count
                then 'complete'
            when reconciliations.athlete_id is not null
                then 'incomplete'
        end as reconcile_verdict,
        reconciliations.strava_count as reconcile_strava_count,
        reconciliations.warehouse_count as reconcile_warehouse_count,
        reconciliations.missing_count,
        reconciliations.extra_count,
        reconciliations.changed_count,
        reconciliations.repaired_count,
        {{ as_of() }} as last_transform_started_at
    from athletes
    cross join unassigned
    left join stored on athletes.athlete_id = stored.athlete_id
    left join newest_offset on athletes.athlete_id = newest_offset.athlete_id
    left join latest_events on athletes.athlete_id = latest_events.athlete_id
    left join open_counts on athletes.athlete_id = open_counts.athlete_id
    left join reconciliations
        on
            athletes.athlete_id = reconciliations.athlete_id
            and reconciliations.place = 1
)

select * from final
