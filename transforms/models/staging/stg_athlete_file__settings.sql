with source as (
    {{
        raw_rows(
            'athlete_files',
            {
                'athlete_id': 'int64',
                'payload': 'json',
                'ingested_at': 'timestamp',
            },
        )
    }}
),

fields as (
    {{
        opened(
            'source',
            'athlete_id',
            [],
            lists={'settings': ['setting', 'sport_group', 'valid_from', 'value', 'value_text']},
        )
    }}
),

renamed as (
    select
        source.athlete_id,
        {{ as_text('sent.setting') }} as setting,
        {{ as_text('sent.sport_group') }} as sport_group,
        cast({{ as_text('sent.valid_from') }} as date) as valid_from,
        {{ as_float('sent.value') }} as value,
        {{ as_text('sent.value_text') }} as value_text,
        source.ingested_at
    from source
    inner join fields on source.athlete_id = fields.athlete_id
    {{ each('fields.settings', 'sent') }}
)

select * from renamed
