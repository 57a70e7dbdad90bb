with source as (
    {{
        raw_rows(
            'imports',
            {
                'import_id': 'string',
                'athlete_id': 'int64',
                'started_at': 'timestamp',
                'updated_at': 'timestamp',
                'finished_at': 'timestamp',
                'status': 'string',
                'source': 'string',
                'exported_at': 'timestamp',
                'language': 'string',
                'row_count': 'int64',
                'file_count': 'int64',
                'media_count': 'int64',
                'other_count': 'int64',
                'reason': 'string',
            },
            conditions=known_then('started_at'),
        )
    }}
),

renamed as (
    select
        source.import_id,
        source.athlete_id,
        source.started_at,
        source.updated_at,
        source.finished_at,
        source.status,
        source.source as source_name,
        source.exported_at,
        source.language,
        source.row_count,
        source.file_count,
        source.media_count,
        source.other_count,
        source.reason
    from source
)

select * from renamed
