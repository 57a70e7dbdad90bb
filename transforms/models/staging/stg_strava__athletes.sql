with source as (
    {{
        raw_rows(
            'strava_athletes',
            {
                'athlete_id': 'int64',
                'scope': 'string',
                'status': 'string',
                'updated_at': 'timestamp',
                'status_since': 'timestamp',
                'status_reason': 'string',
            },
        )
    }}
),

renamed as (
    select
        athlete_id,
        scope as scopes,
        status,
        status_reason,
        coalesce(status_since, updated_at) as status_since,
        updated_at
    from source
)

select * from renamed
