{{
    config(
        materialized='incremental',
        unique_key='delivery_id',
        on_schema_change='fail',
        incremental_predicates=merged_where("is_new('DBT_INTERNAL_DEST.ingested_at')"),
        cluster_by=['ingested_at'],
    )
}}

with source as (
    {{
        raw_rows(
            'strava_events',
            {
                'delivery_id': 'string',
                'event_id': 'string',
                'athlete_id': 'int64',
                'object_type': 'string',
                'object_id': 'int64',
                'aspect_type': 'string',
                'subscription_id': 'int64',
                'event_time': 'timestamp',
                'received_at': 'timestamp',
                'outcome': 'string',
                'reason': 'string',
                'reason_kind': 'string',
                'attempt': 'int64',
                'finished_at': 'timestamp',
                'retry_at': 'timestamp',
                'ingested_at': 'timestamp',
            },
            conditions=[is_new()],
        )
    }}
),

renamed as (
    select
        delivery_id,
        event_id,
        athlete_id,
        object_type,
        object_id,
        aspect_type,
        subscription_id,
        event_time as event_at,
        received_at,
        outcome,
        reason,
        reason_kind,
        attempt,
        finished_at,
        retry_at,
        ingested_at
    from source
)

select * from renamed
