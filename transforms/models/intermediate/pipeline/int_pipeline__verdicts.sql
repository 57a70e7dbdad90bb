with reconciliations as (
    select
        *,
        max(case when verdict = 'complete' then finished_at end) over (partition by athlete_id) as last_complete_at,
        row_number() over (
            partition by athlete_id, verdict = 'cut_short'
            order by finished_at desc, reconciliation_id desc
        ) as place
    from {{ ref('stg_strava__reconciliations') }}
),

athletes as (
    select distinct athlete_id from reconciliations
),

-- a list that was not read to its end proves nothing: the check before it still tells what is known
checked as (
    select * from reconciliations
    where
        verdict != 'cut_short'
        and place = 1
),

differing as (
    select
        athlete_id,
        min(finished_at) as differs_since
    from reconciliations
    where
        verdict in ('incomplete', 'guarded')
        and (last_complete_at is null or finished_at > last_complete_at)
    group by athlete_id
),

-- a later check that was read to its end makes it good
still_cut_short as (
    select reconciliations.*
    from reconciliations
    left join checked on reconciliations.athlete_id = checked.athlete_id
    where
        reconciliations.verdict = 'cut_short'
        and reconciliations.place = 1
        and (checked.athlete_id is null or checked.finished_at < reconciliations.finished_at)
),

final as (
    select
        athletes.athlete_id,
        checked.finished_at as last_reconciled_at,
        checked.verdict as reconcile_verdict,
        checked.reason as reconcile_reason,
        checked.stopped_kind,
        checked.strava_count as reconcile_strava_count,
        checked.warehouse_count as reconcile_warehouse_count,
        checked.missing_count,
        checked.extra_count,
        checked.changed_count,
        checked.repaired_count,
        checked.unreadable_count,
        checked.last_complete_at,
        differing.differs_since,
        still_cut_short.finished_at as cut_short_at,
        still_cut_short.reason as cut_short_reason,
        still_cut_short.stopped_kind as cut_short_kind,
        coalesce(still_cut_short.retry_at, checked.retry_at) as reconcile_retry_at
    from athletes
    left join checked on athletes.athlete_id = checked.athlete_id
    left join differing on athletes.athlete_id = differing.athlete_id
    left join still_cut_short on athletes.athlete_id = still_cut_short.athlete_id
)

select * from final
