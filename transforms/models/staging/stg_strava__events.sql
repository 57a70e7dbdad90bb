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
                'updates': 'json',
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
            conditions=[is_new()] + known_then('ingested_at'),
        )
    }}
),

fields as (
    {{ opened('source', 'delivery_id', ['type', 'private'], document='updates') }}
),

renamed as (
    select
        source.delivery_id,
        source.event_id,
        source.athlete_id,
        source.object_type,
        source.object_id,
        source.aspect_type,
        {{ has_key('source.updates', 'title') }} as is_renamed,
        nullif(fields.type, '') as new_sport_type,
        {{ as_bool('fields.private') }} as is_made_private,
        source.subscription_id,
        source.event_time as event_at,
        source.received_at,
        source.outcome,
        source.reason,
        source.reason_kind,
        source.attempt,
        source.finished_at,
        source.retry_at,
        source.ingested_at
    from source
    inner join fields on source.delivery_id = fields.delivery_id
)

select * from renamed
