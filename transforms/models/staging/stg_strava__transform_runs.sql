{{ config(materialized='ephemeral') }}

with source as (
    {{
        raw_rows(
            'transform_runs',
            {'run_id': 'string', 'started_at': 'timestamp', 'published_at': 'timestamp', 'error': 'string'},
            only={'column': 'started_at', 'days': 31},
        )
    }}
),

published as (
    select
        run_id,
        started_at,
        published_at
    from source
    where
        published_at is not null
        and error is null
)

select * from published
