with source as (
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
                'started_at': 'timestamp',
                'finished_at': 'timestamp',
                'unreadable': 'int64',
                'verdict': 'string',
                'reason': 'string',
                'stopped_kind': 'string',
                'retry_at': 'timestamp',
            },
            conditions=known_then('finished_at'),
        )
    }}
),

renamed as (
    select
        reconciliation_id,
        athlete_id,
        strava_count,
        warehouse_count,
        missing as missing_count,
        extra as extra_count,
        changed as changed_count,
        repaired as repaired_count,
        unreadable as unreadable_count,
        verdict,
        reason,
        stopped_kind,
        retry_at,
        started_at,
        finished_at
    from source
)

select * from renamed
