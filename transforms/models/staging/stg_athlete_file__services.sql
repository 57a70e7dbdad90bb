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
            lists={'services': ['gear_number', 'number', 'service', 'every_m', 'every_s', 'every_days', 'last_done_on']},
        )
    }}
),

renamed as (
    select
        source.athlete_id,
        {{ as_int('sent.gear_number') }} as gear_number,
        {{ as_int('sent.number') }} as service_number,
        {{ as_text('sent.service') }} as service,
        {{ as_float('sent.every_m') }} as every_m,
        {{ as_float('sent.every_s') }} as every_s,
        {{ as_int('sent.every_days') }} as every_days,
        cast({{ as_text('sent.last_done_on') }} as date) as last_done_on,
        source.ingested_at
    from source
    inner join fields on source.athlete_id = fields.athlete_id
    {{ each('fields.services', 'sent') }}
)

select * from renamed
