with source as (
    {{
        raw_rows(
            'strava_subscriptions',
            {
                'subscription_id': 'int64',
                'remembered_at': 'timestamp',
                'ended_at': 'timestamp',
            },
        )
    }}
),

renamed as (
    select
        subscription_id,
        remembered_at,
        ended_at
    from source
)

select * from renamed
