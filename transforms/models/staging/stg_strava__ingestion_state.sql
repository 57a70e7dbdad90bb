with source as (
    {{
        raw_rows(
            '_ingestion_state',
            {
                'athlete_id': 'int64',
                'complete_as_of': 'timestamp',
                'listing_began_at': 'timestamp',
                'backfill_cursor': 'timestamp',
                'updated_at': 'timestamp',
            },
        )
    }}
),

renamed as (
    select
        athlete_id,
        complete_as_of,
        listing_began_at,
        backfill_cursor,
        updated_at
    from source
)

select * from renamed
