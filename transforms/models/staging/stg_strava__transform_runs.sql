with source as (
    {{
        raw_rows(
            'transform_runs',
            {
                'run_id': 'string',
                'started_at': 'timestamp',
                'finished_at': 'timestamp',
                'published_at': 'timestamp',
                'is_full_refresh': 'bool',
                'error': 'string',
            },
            conditions=[is_within_days('started_at', 31)] + known_then('started_at'),
        )
    }}
),

renamed as (
    select
        run_id,
        started_at,
        finished_at,
        published_at,
        is_full_refresh,
        error
    from source
)

select * from renamed
