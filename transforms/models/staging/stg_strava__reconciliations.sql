{{ config(materialized='ephemeral') }}

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
            },
        )
    }}
)

select * from source
