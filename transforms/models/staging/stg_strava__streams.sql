{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'stream_key'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
    )
}}

with source as (
    {{
        raw_rows(
            'strava_streams',
            {
                'activity_id': 'int64',
                'athlete_id': 'int64',
                'payload': 'json',
                'observed_at': 'timestamp',
                'ingested_at': 'timestamp',
            },
            conditions=[is_changed(), 'payload is not null'],
        )
    }}
),

streams as (
    {{ stream_rows('source') }}
),

renamed as (
    select
        source.activity_id,
        source.athlete_id,
        streams.stream_key,
        streams.series_type,
        streams.resolution,
        streams.original_size,
        streams.readings,
        streams.latitudes,
        streams.longitudes,
        source.observed_at,
        source.ingested_at
    from source
    inner join streams on source.activity_id = streams.activity_id
)

select * from renamed
