with source as (
    {{
        raw_rows(
            'strava_athlete_settings',
            {
                'settings_id': 'string',
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
            'settings_id',
            ['sex', 'weight', 'ftp'],
        )
    }}
),

zones as (
    {{ zone_rows('source', 'settings_id') }}
),

renamed as (
    select
        source.settings_id,
        source.athlete_id,
        case when fields.sex in ('F', 'M') then fields.sex end as sex,
        {{ as_float('fields.weight') }} as weight_kg,
        {{ as_int('fields.ftp') }} as ftp_w,
        zones.has_custom_heartrate_zones,
        zones.heartrate_zone_starts_bpm,
        zones.power_zone_starts_w,
        source.observed_at,
        source.ingested_at
    from source
    inner join fields on source.settings_id = fields.settings_id
    inner join zones on source.settings_id = zones.settings_id
)

select * from renamed
