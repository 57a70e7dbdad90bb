{{
    config(
        materialized='incremental',
        unique_key='file_id',
        on_schema_change='fail',
        pre_hook="{{ forget_what_files_changed() }}",
        incremental_predicates=merged_where("is_changed_by_files('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with source as (
    {{
        raw_rows(
            'activity_files',
            {
                'file_id': 'string',
                'athlete_id': 'int64',
                'import_id': 'string',
                'name': 'string',
                'origin': 'string',
                'kind': 'string',
                'is_truncated': 'bool',
                'activity_id': 'int64',
                'own_activity_id': 'int64',
                'matched_by': 'string',
                'twin': 'string',
                'suspect': 'string',
                'suspect_twin': 'string',
                'exported_at': 'timestamp',
                'start_at': 'timestamp',
                'elapsed_time_s': 'int64',
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
            'file_id',
            activity_places() + [
                'computed', 'sources.utc_offset', 'sources.total_elevation_gain', 'is_clipped'
            ],
            lists=recorded_lists(),
            document='activity',
        )
    }}
),

final as (
    select
        source.file_id,
        source.athlete_id,
        source.import_id,
        source.name as file_name,
        source.origin,
        source.kind,
        source.is_truncated,
        source.activity_id,
        source.own_activity_id,
        source.matched_by,
        source.twin,
        source.suspect,
        source.suspect_twin,
        source.exported_at,
        source.start_at as recorded_at,
        source.elapsed_time_s as recorded_time_s,
        source.is_deleted,
        source.ingested_at,
        {{ activity_columns('fields') }},
        fields.computed,
        fields.sources_utc_offset as utc_offset_source,
        fields.sources_total_elevation_gain as elevation_source,
        {{ as_bool('fields.is_clipped') }} as is_clipped,
        {%- for list in recorded_lists() %}
        fields.{{ list }}{{ ',' if not loop.last }}
        {%- endfor %},
        -- of several recordings of one activity the first counts
        case
            when not source.is_deleted
                then row_number() over (
                    partition by source.activity_id, source.origin, source.is_deleted
                    order by source.is_truncated asc, source.exported_at desc nulls last, source.file_id asc
                )
        end as place
    from source
    inner join fields on source.file_id = fields.file_id
)

select * from final
