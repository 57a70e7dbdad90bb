{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'stream_key'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
    )
}}

with sent as (
    {{
        raw_rows(
            'strava_streams',
            {
                'activity_id': 'int64',
                'athlete_id': 'int64',
                'payload': 'json',
                'observed_at': 'timestamp',
                'ingested_at': 'timestamp',
            },
            conditions=[is_changed(), 'payload is not null'],
        )
    }}
),

recorded as (
    {{
        raw_rows(
            'activity_files',
            {
                'activity_id': 'int64',
                'athlete_id': 'int64',
                'file_id': 'string',
                'origin': 'string',
                'is_truncated': 'bool',
                'exported_at': 'timestamp',
                'start_at': 'timestamp',
                'ingested_at': 'timestamp',
                'streams': 'json',
            },
            conditions=[is_changed(), 'streams is not null'],
        )
    }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by activity_id, origin order by is_truncated asc, exported_at desc nulls last, file_id asc
        ) as place
    from recorded
),

-- the better source first: the API, a file of the export, a file of the athlete's own
told as (
    select
        activity_id,
        athlete_id,
        'api' as source,
        1 as source_rank,
        cast(null as timestamp) as start_at,
        payload,
        observed_at,
        ingested_at
    from sent
    union all
    select
        activity_id,
        athlete_id,
        'file' as source,
        case origin when 'archive' then 2 else 3 end as source_rank,
        start_at,
        streams as payload,
        exported_at as observed_at,
        ingested_at
    from ranked
    where place = 1
),

opened as (
    {{ stream_rows('told', 'activity_id, athlete_id, source, source_rank, start_at, observed_at, ingested_at') }}
),

-- distinct they are anyhow; without it DuckDB takes the readings through the windows
keys as (
    select distinct
        activity_id,
        stream_key,
        source_rank
    from opened
),

ranks as (
    select
        activity_id,
        stream_key,
        source_rank,
        min(source_rank) over (partition by activity_id) as best_rank,
        max(source_rank) over (partition by activity_id) as worst_rank,
        row_number() over (partition by activity_id, stream_key order by source_rank) as source_place
    from keys
),

-- of what several sources tell
several as (
    select
        opened.*,
        ranks.best_rank,
        ranks.source_place
    from opened
    inner join ranks
        on
            opened.activity_id = ranks.activity_id
            and opened.stream_key = ranks.stream_key
            and opened.source_rank = ranks.source_rank
    where ranks.best_rank < ranks.worst_rank
),

-- what the better source lacks and another has, if that began within two seconds
lacking as (
    select
        other.*,
        own_time.readings as seconds,
        other_time.readings as other_seconds,
        round({{ seconds_between('coalesce(own_time.start_at, activities.start_at)', 'other.start_at') }}) as shift_s
    from several as other
    inner join several as own_time
        on
            other.activity_id = own_time.activity_id
            and own_time.stream_key = 'time'
            and own_time.source_rank = own_time.best_rank
    inner join several as other_time
        on
            other.activity_id = other_time.activity_id
            and other.source_rank = other_time.source_rank
            and other_time.stream_key = 'time'
    inner join {{ ref('base_strava__activities') }} as activities on other.activity_id = activities.activity_id
    where
        other.stream_key in ('heartrate', 'watts', 'cadence')
        and other.source_rank > other.best_rank
        and other.source_place = 1
        and {{ is_changed('activities.activity_id') }}
),

final as (
    select
        opened.activity_id,
        opened.athlete_id,
        opened.stream_key,
        opened.source,
        opened.series_type,
        opened.resolution,
        opened.original_size,
        opened.readings,
        opened.latitudes,
        opened.longitudes,
        opened.observed_at,
        opened.ingested_at
    from opened
    inner join ranks
        on
            opened.activity_id = ranks.activity_id
            and opened.stream_key = ranks.stream_key
            and opened.source_rank = ranks.source_rank
    where ranks.source_rank = ranks.best_rank
    union all
    select
        activity_id,
        athlete_id,
        stream_key,
        source,
        series_type,
        resolution,
        original_size,
        {{ values_at('seconds', 'other_seconds', 'readings', 'shift_s') }} as readings,
        latitudes,
        longitudes,
        observed_at,
        ingested_at
    from lacking
    where abs(shift_s) <= 2
)

select * from final
