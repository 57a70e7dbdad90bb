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
            lists={
                'gear': [
                    'number', 'name', 'cost', 'is_retired', 'has_rule', 'sport_group', 'title_has', 'valid_from', 'valid_to',
                ]
            },
        )
    }}
),

renamed as (
    select
        source.athlete_id,
        {{ as_int('sent.number') }} as gear_number,
        {{ as_text('sent.name') }} as gear_name,
        {{ as_float('sent.cost') }} as cost,
        {{ as_bool('sent.is_retired') }} as is_retired,
        {{ as_bool('sent.has_rule') }} as has_rule,
        {{ as_text('sent.sport_group') }} as sport_group,
        {{ as_text('sent.title_has') }} as title_has,
        cast({{ as_text('sent.valid_from') }} as date) as valid_from,
        cast({{ as_text('sent.valid_to') }} as date) as valid_to,
        source.ingested_at
    from source
    inner join fields on source.athlete_id = fields.athlete_id
    {{ each('fields.gear', 'sent') }}
)

select * from renamed
