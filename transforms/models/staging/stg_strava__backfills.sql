with source as (
    {{
        raw_rows(
            'backfills',
            {
                'athlete_id': 'int64',
                'requested_at': 'timestamp',
                'since': 'timestamp',
                'has_details': 'bool',
                'started_at': 'timestamp',
                'listed_count': 'int64',
                'listed_at': 'timestamp',
                'waits_until': 'timestamp',
                'waits_because': 'string',
                'waits_kind': 'string',
                'expected_at': 'timestamp',
                'finished_at': 'timestamp',
                'updated_at': 'timestamp',
                'has_streams': 'bool',
                'failed_count': 'int64',
                'retry_at': 'timestamp',
            },
        )
    }}
),

renamed as (
    select
        athlete_id,
        requested_at,
        since,
        has_details,
        has_streams,
        started_at,
        listed_count,
        listed_at,
        waits_until,
        waits_because,
        waits_kind,
        expected_at,
        finished_at,
        failed_count,
        retry_at,
        updated_at
    from source
)

select * from renamed
