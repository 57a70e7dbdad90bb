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
        )
    }}
),

renamed as (
    select
        import_id,
        athlete_id,
        started_at,
        updated_at,
        finished_at,
        status,
        source.source as source_name,
        exported_at,
        language,
        row_count,
        file_count,
        media_count,
        other_count,
        reason
    from source
)

select * from renamed
