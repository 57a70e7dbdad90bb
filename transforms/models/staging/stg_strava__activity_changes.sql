with source as (
    {{
        raw_rows(
            'activity_changes',
            {
                'change_id': 'string',
                'activity_id': 'int64',
                'athlete_id': 'int64',
                'kind': 'string',
                'field': 'string',
                'source': 'string',
                'event_id': 'string',
                'observed_at': 'timestamp',
                'ingested_at': 'timestamp',
                'payload': 'json',
            },
            conditions=known_then('ingested_at'),
        )
    }}
),

fields as (
    {{ opened('source', 'change_id', ['old', 'new']) }}
),

renamed as (
    select
        source.change_id,
        source.activity_id,
        source.athlete_id,
        source.kind as change_kind,
        source.field as changed_field,
        fields.old as old_value,
        fields.new as new_value,
        source.source,
        source.event_id,
        source.observed_at,
        source.ingested_at
    from source
    inner join fields on source.change_id = fields.change_id
)

select * from renamed
