{% set tables = [
    'strava_activities', 'strava_events', 'strava_streams', 'activity_changes', 'strava_gear', 'strava_athletes',
    'strava_athlete_settings', 'strava_totals', 'athlete_files', 'archive_activities', 'activity_files', 'imports',
    'import_items', '_ingestion_state', 'backfills', 'reconciliations', 'connect_invites', 'queue_messages'
] %}

with source as (
    {{
        raw_rows(
            'purges',
            {
                'purge_id': 'string',
                'athlete_hash': 'string',
                'purged_at': 'timestamp',
                'removed': 'json',
            },
        )
    }}
),

fields as (
    {{
        opened(
            'source',
            'purge_id',
            tables,
            document='removed',
        )
    }}
),

renamed as (
    select
        source.purge_id,
        source.athlete_hash,
        source.purged_at,
        {{ as_int('fields.strava_activities') }} as activity_count,
        {{ as_int('fields.strava_events') }} as event_count,
        {{ as_int('fields.strava_streams') }} as stream_count,
        {{ as_int('fields.strava_gear') }} as gear_count,
        {{ as_int('fields.reconciliations') }} as reconciliation_count,
        {{ as_int('fields.queue_messages') }} as queue_message_count,
        {#- in groups: of a long sum each addend is one level deeper, and BigQuery's analysis bounds the levels #}
        {%- for some in tables | batch(6) %}
        (
            {%- for table in some %}
            coalesce({{ as_int('fields.' ~ table) }}, 0){{ ' +' if not loop.last }}
            {%- endfor %}
        ){{ ' +' if not loop.last }}
        {%- endfor %} as row_count
    from source
    inner join fields on source.purge_id = fields.purge_id
)

select * from renamed
