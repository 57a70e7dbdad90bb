{{ config(cluster_by=['athlete_id']) }}

{%- set within_24h = 'finished_at >= ' ~ days_ago(1) %}
{%- set within_30d = 'finished_at >= ' ~ days_ago(30) %}

with athletes as (
    {{ raw_rows('strava_athletes', {'athlete_id': 'int64', 'status': 'string'}) }}
),

runs as (
    {{
        raw_rows(
            'transform_runs',
            {'started_at': 'timestamp', 'published_at': 'timestamp', 'error': 'string'},
            only={'column': 'started_at', 'days': 31},
        )
    }}
),

checks as (
    {{
        raw_rows(
            'reconciliations',
            {
                'reconciliation_id': 'string',
                'athlete_id': 'int64',
                'strava_count': 'int64',
                'warehouse_count': 'int64',
                'missing': 'int64',
                'extra': 'int64',
                'changed': 'int64',
                'repaired': 'int64',
                'finished_at': 'timestamp',
            },
        )
    }}
),

events as (
    select * from {{ ref('stg_strava__events') }}
),

reconciliations as (
    select
        *,
        row_number() over (partition by athlete_id order by finished_at desc nulls last, reconciliation_id desc) as place
    from checks
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

activities as (
    select * from {{ ref('fct_activities') }}
),

newest_offset as (
    {{ newest_offsets('activities') }}
),

newest_event as (
    select
        athlete_id,
        max(event_at) as last_event_at,
        max(finished_at) as last_event_finished_at
    from events
    group by athlete_id
),

newest_outcome as (
    select
        events.athlete_id,
        max(events.outcome) as last_event_outcome
    from events
    inner join newest_event
        on
            events.athlete_id = newest_event.athlete_id
            and events.finished_at = newest_event.last_event_finished_at
    group by events.athlete_id
),

-- few rows wait or are parked; only these are looked at again
unsettled as (
    select
        delivery_id,
        event_id,
        athlete_id,
        outcome,
        ingested_at
    from events
    where outcome in ('parked', 'deferred')
),

-- a message that could not be read has no event that a later delivery might finish
superseded as (
    select distinct unsettled.delivery_id
    from unsettled
    inner join events on unsettled.event_id = events.event_id
    where events.ingested_at > unsettled.ingested_at
),

still_open as (
    select
        unsettled.athlete_id,
        unsettled.outcome
    from unsettled
    left join superseded on unsettled.delivery_id = superseded.delivery_id
    where superseded.delivery_id is null
),

open_events as (
    select
        athlete_id,
        sum(case when outcome = 'parked' then 1 else 0 end) as parked_event_count,
        sum(case when outcome = 'deferred' then 1 else 0 end) as deferred_event_count
    from still_open
    group by athlete_id
),

-- no row of this table is about the athlete of these, so each row tells of them
unassigned as (
    select count(*) as parked_event_count
    from still_open
    left join athletes
        on
            still_open.athlete_id = athletes.athlete_id
            and athletes.status = 'connected'
    where
        still_open.outcome = 'parked'
        and athletes.athlete_id is null
),

-- events of the last thirty days that reached raw: bounded, whatever is stored
recent as (
    select
        *,
        row_number() over (partition by athlete_id, event_id order by ingested_at) as place
    from events
    where
        outcome in ('stored', 'unchanged', 'deleted')
        and event_at is not null
        and finished_at >= {{ days_ago(30) }}
),

-- arrivals and runs on one line of time: the first publication after an arrival is that of the first run that saw it.
-- A repetition of an event is no second save, so its first arrival counts.
moments as (
    select
        athlete_id,
        event_at,
        finished_at,
        greatest(finished_at, ingested_at) as moment,
        cast(null as timestamp) as published_at
    from recent
    where place = 1
    union all
    select
        cast(null as int64) as athlete_id,
        cast(null as timestamp) as event_at,
        cast(null as timestamp) as finished_at,
        started_at as moment,
        published_at
    from runs
    where
        published_at is not null
        and error is null
),

seen as (
    select
        *,
        min(published_at) over (
            order by moment
            range between current row and unbounded following
        ) as first_published_at
    from moments
),

-- what came while this build began waits for the next one: so far it has taken until it was there
latencies as (
    select
        athlete_id,
        finished_at,
        {{ seconds_between('event_at', 'finished_at') }} as save_to_raw_s,
        {{ seconds_between('event_at', 'coalesce(first_published_at, greatest(' ~ as_of() ~ ', moment))') }} as save_to_mart_s
    from seen
    where event_at is not null
),

measured as (
    select
        athlete_id,
        sum(case when finished_at >= {{ days_ago(1) }} then 1 else 0 end) as event_count_24h,
        count(*) as event_count_30d,
        {{ nearest_rank('save_to_raw_s', 0.5, within_24h) }} as save_to_raw_p50_24h_s,
        {{ nearest_rank('save_to_raw_s', 0.5, within_30d) }} as save_to_raw_p50_30d_s,
        {{ nearest_rank('save_to_raw_s', 0.95, within_24h) }} as save_to_raw_p95_24h_s,
        {{ nearest_rank('save_to_raw_s', 0.95, within_30d) }} as save_to_raw_p95_30d_s,
        {{ nearest_rank('save_to_mart_s', 0.5, within_24h) }} as save_to_mart_p50_24h_s,
        {{ nearest_rank('save_to_mart_s', 0.5, within_30d) }} as save_to_mart_p50_30d_s,
        {{ nearest_rank('save_to_mart_s', 0.95, within_24h) }} as save_to_mart_p95_24h_s,
        {{ nearest_rank('save_to_mart_s', 0.95, within_30d) }} as save_to_mart_p95_30d_s
    from latencies
    group by athlete_id
),

final as (
    select
        athletes.athlete_id,
        newest_offset.utc_offset_s,
        newest_event.last_event_at,
        newest_event.last_event_finished_at,
        newest_outcome.last_event_outcome,
        cast(coalesce(stored.activity_count, 0) as int64) as activity_count,
        cast(coalesce(stored.detailed_count, 0) as int64) as detailed_count,
        cast(coalesce(stored.activity_count - stored.detailed_count, 0) as int64) as summary_count,
        cast(coalesce(stored.deleted_count, 0) as int64) as deleted_count,
        stored.detailed_count / nullif(stored.activity_count, 0) as backfill_progress,
        cast(coalesce(measured.event_count_24h, 0) as int64) as event_count_24h,
        cast(coalesce(measured.event_count_30d, 0) as int64) as event_count_30d,
        measured.save_to_raw_p50_24h_s,
        measured.save_to_raw_p50_30d_s,
        measured.save_to_raw_p95_24h_s,
        measured.save_to_raw_p95_30d_s,
        measured.save_to_mart_p50_24h_s,
        measured.save_to_mart_p50_30d_s,
        measured.save_to_mart_p95_24h_s,
        measured.save_to_mart_p95_30d_s,
        cast(coalesce(open_events.parked_event_count, 0) as int64) as parked_event_count,
        cast(coalesce(open_events.deferred_event_count, 0) as int64) as deferred_event_count,
        unassigned.parked_event_count as unassigned_parked_event_count,
        reconciliations.finished_at as last_reconciled_at,
        case
            when reconciliations.missing + reconciliations.extra + reconciliations.changed <= reconciliations.repaired
                then 'complete'
            when reconciliations.athlete_id is not null
                then 'incomplete'
        end as reconcile_verdict,
        reconciliations.strava_count as reconcile_strava_count,
        reconciliations.warehouse_count as reconcile_warehouse_count,
        reconciliations.missing as missing_count,
        reconciliations.extra as extra_count,
        reconciliations.changed as changed_count,
        reconciliations.repaired as repaired_count,
        {{ as_of() }} as last_transform_started_at
    from athletes
    cross join unassigned
    left join stored on athletes.athlete_id = stored.athlete_id
    left join newest_offset on athletes.athlete_id = newest_offset.athlete_id
    left join newest_event on athletes.athlete_id = newest_event.athlete_id
    left join newest_outcome on athletes.athlete_id = newest_outcome.athlete_id
    left join open_events on athletes.athlete_id = open_events.athlete_id
    left join measured on athletes.athlete_id = measured.athlete_id
    left join reconciliations
        on
            athletes.athlete_id = reconciliations.athlete_id
            and reconciliations.place = 1
    where athletes.status = 'connected'
)

select * from final
