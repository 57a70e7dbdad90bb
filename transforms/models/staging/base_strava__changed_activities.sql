with source as (
    {{
        raw_rows(
            'strava_activities',
            {
                'activity_id': 'int64',
                'ingested_at': 'timestamp',
            },
            conditions=[is_after('ingested_at', watermark())],
        )
    }}
)

select * from source
