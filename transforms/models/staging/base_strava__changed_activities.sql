{{ config(tags=['changes']) }}

with activities as (
    {{
        raw_rows(
            'strava_activities',
            {
                'activity_id': 'int64',
                'ingested_at': 'timestamp',
            },
            conditions=[is_after('ingested_at', watermark())],
        )
    }}
),

streams as (
    {{
        raw_rows(
            'strava_streams',
            {
                'activity_id': 'int64',
                'ingested_at': 'timestamp',
            },
            conditions=[is_after('ingested_at', watermark())],
        )
    }}
),

-- those of an earlier build stay there until files change again
files as (
    select
        activity_id,
        ingested_at
    from {{ ref('base_archive__changed_activities') }}
    where {{ is_after('ingested_at', watermark()) }}
),

final as (
    select
        activity_id,
        max(ingested_at) as ingested_at
    from (
        select * from activities
        union all
        select * from streams
        union all
        select * from files
    ) as changed
    group by activity_id
)

select * from final
