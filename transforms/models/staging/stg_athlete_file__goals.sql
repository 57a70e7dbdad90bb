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
            lists={'goals': ['number', 'measure', 'period_kind', 'sport_group', 'target', 'valid_from', 'valid_to']},
        )
    }}
),

renamed as (
    select
        concat(cast(source.athlete_id as {{ dbt.type_string() }}), '-', {{ as_text('sent.number') }}) as goal_id,
        source.athlete_id,
        {{ as_int('sent.number') }} as goal_number,
        {{ as_text('sent.measure') }} as measure,
        {{ as_text('sent.period_kind') }} as period_kind,
        {{ as_text('sent.sport_group') }} as sport_group,
        {{ as_float('sent.target') }} as target,
        cast({{ as_text('sent.valid_from') }} as date) as valid_from,
        cast({{ as_text('sent.valid_to') }} as date) as valid_to,
        source.ingested_at
    from source
    inner join fields on source.athlete_id = fields.athlete_id
    {{ each('fields.goals', 'sent') }}
)

select * from renamed
