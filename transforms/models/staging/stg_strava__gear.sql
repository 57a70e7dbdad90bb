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
            conditions=['payload is not null'],
        )
    }}
),

fields as (
    {{
        opened(
            'source',
            'gear_id',
            [
                'name', 'nickname', 'brand_name', 'model_name', 'frame_type', 'distance', 'weight', 'primary', 'retired',
                'notification_distance',
            ],
        )
    }}
),

renamed as (
    select
        source.gear_id,
        source.athlete_id,
        case substr(source.gear_id, 1, 1) when 'b' then 'bike' when 'g' then 'shoes' else 'other' end as gear_kind,
        nullif(fields.name, '') as name,
        nullif(fields.nickname, '') as nickname,
        nullif(fields.brand_name, '') as brand_name,
        nullif(fields.model_name, '') as model_name,
        {{ as_int('fields.frame_type') }} as frame_type,
        {{ as_float('fields.distance') }} as distance_m,
        nullif({{ as_float('fields.notification_distance') }}, 0) as notification_distance_m,
        {{ as_float('fields.weight') }} as weight_kg,
        {{ as_bool('fields.primary') }} as is_primary,
        {{ as_bool('fields.retired') }} as is_retired,
        source.observed_at,
        source.ingested_at
    from source
    inner join fields on source.gear_id = fields.gear_id
)

select * from renamed
