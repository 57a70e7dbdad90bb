{{ config(cluster_by=['import_id']) }}

with source as (
    {{
        raw_rows(
            'import_items',
            {
                'item_id': 'string',
                'import_id': 'string',
                'athlete_id': 'int64',
                'kind': 'string',
                'name': 'string',
                'activity_id': 'int64',
                'outcome': 'string',
                'matched_by': 'string',
                'twin': 'string',
                'reason': 'string',
                'finished_at': 'timestamp',
            },
            conditions=known_then('finished_at'),
        )
    }}
),

renamed as (
    select
        item_id,
        import_id,
        athlete_id,
        kind as item_kind,
        name as file_name,
        activity_id,
        outcome,
        matched_by,
        twin,
        reason,
        finished_at
    from source
)

select * from renamed
