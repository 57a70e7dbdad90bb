{{ config(tags=['changes']) }}

with archived as (
    {{
        raw_rows(
            'archive_activities',
            {
                'activity_id': 'int64',
                'ingested_at': 'timestamp',
            },
            conditions=[is_after('ingested_at', watermark())],
        )
    }}
),

files as (
    {{
        raw_rows(
            'activity_files',
            {
                'activity_id': 'int64',
                'own_activity_id': 'int64',
                'previous_activity_id': 'int64',
                'ingested_at': 'timestamp',
            },
            conditions=[is_after('ingested_at', watermark())],
        )
    }}
),

final as (
    select
        activity_id,
        max(ingested_at) as ingested_at
    from (
        select * from archived
        {%- for column in ['activity_id', 'own_activity_id', 'previous_activity_id'] %}
        union all
        select
            {{ column }} as activity_id,
            ingested_at
        from files
        {%- endfor %}
    ) as changed
    where activity_id is not null
    group by activity_id
)

select * from final
