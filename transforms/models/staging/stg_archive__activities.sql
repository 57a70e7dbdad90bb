{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_what_files_changed() }}",
        incremental_predicates=merged_where("is_changed_by_files('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with source as (
    {{
        raw_rows(
            'archive_activities',
            {
                'activity_id': 'int64',
                'athlete_id': 'int64',
                'exported_at': 'timestamp',
                'is_deleted': 'bool',
                'ingested_at': 'timestamp',
                'activity': 'json',
            },
            conditions=[is_changed_by_files()],
        )
    }}
),

fields as (
    {{
        opened(
            'source',
            'activity_id',
            activity_places() + ['sport_label', 'distance_precision_m', 'sources.utc_offset'],
            document='activity',
        )
    }}
),

final as (
    select
        source.activity_id,
        source.athlete_id,
        source.exported_at,
        source.is_deleted,
        source.ingested_at,
        {{ activity_columns('fields') }},
        fields.sport_label,
        {{ as_int('fields.distance_precision_m') }} as distance_precision_m,
        fields.sources_utc_offset as utc_offset_source
    from source
    inner join fields on source.activity_id = fields.activity_id
)

select * from final
