with source as (
    {{
        raw_rows(
            'strava_gear',
            {
                'gear_id': 'string',
                'athlete_id': 'int64',
                'payload': 'json',
                'observed_at': 'timestamp',
                'ingested_at': 'timestamp',
            },
        )
    }}
),

fields as (
    {{
        opened(
            'source',
            'gear_id',
            ['name', 'nickname', 'brand_name', 'model_name', 'frame_type', 'distance', 'weight', 'primary', 'retired'],
        )
    }}
),

renamed as (
    select
        source.gear_id,
        source.athlete_id,
        nullif(fields.name, '') as name,
        nullif(fields.nickname, '') as nickname,
        nullif(fields.brand_name, '') as brand_name,
        nullif(fields.model_name, '') as model_name,
        {{ as_int('fields.frame_type') }} as frame_type,
        {{ as_float('fields.distance') }} as distance_m,
        {{ as_float('fields.weight') }} as weight_kg,
        {{ as_bool('fields.primary') }} as is_primary,
        {{ as_bool('fields.retired') }} as is_retired,
        source.observed_at,
        source.ingested_at
    from source
    inner join fields on source.gear_id = fields.gear_id
)

select * from renamed
