with source as (
    {{
        raw_rows(
            'strava_athletes',
            {
                'athlete_id': 'int64',
                'scope': 'string',
                'status': 'string',
                'updated_at': 'timestamp',
            },
        )
    }}
),

renamed as (
    select
        athlete_id,
        scope as scopes,
        status,
        updated_at
    from source
)

select * from renamed
