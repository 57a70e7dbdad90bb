{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
    )
}}

with source as (
    {{
        raw_rows(
            'strava_activities',
            {
                'activity_id': 'int64',
                'athlete_id': 'int64',
                'payload': 'json',
                'resource_state': 'int64',
                'is_deleted': 'bool',
                'source': 'string',
                'ingested_at': 'timestamp',
            },
            since='ingested_at',
        )
    }}
),

texts as (
    {{ payload_texts('source') }}
),

typed as (
    select
        activity_id,
        best_efforts,
        is_payload_object,
        {%- for name, (_, type) in payload_fields().items() %}
        {{ typed(name, type) }} as {{ name }},
        {%- endfor %}
        {%- for name, (_, type) in payload_fields().items() if type != 'string' %}
        ({{ name }} is not null and {{ typed(name, type) }} is null)
        {%- if not loop.last %} or{% endif %}
        {%- endfor %} as has_unreadable_field
    from texts
),

{%- set start_at_local = 'coalesce(typed.start_at_local, ' ~ local_time('typed.start_at', 'typed.utc_offset_s') ~ ')' %}

final as (
    select
        source.activity_id,
        source.athlete_id,
        source.resource_state,
        source.is_deleted,
        source.source,
        source.ingested_at,
        {%- set combined = ['start_at_local', 'sport_type', 'deprecated_type', 'timezone', 'polyline', 'summary_polyline'] %}
        {%- for name in payload_fields() if name not in combined %}
        typed.{{ name }},
        {%- endfor %}
        {{ start_at_local }} as start_at_local,
        case
            when not source.is_deleted
                then coalesce(nullif(typed.sport_type, ''), nullif(typed.deprecated_type, ''), 'Unknown')
        end as sport_type,
        nullif(trim(regexp_replace(typed.timezone, '^[(][^)]*[)]', '')), '') as timezone_name,
        coalesce(nullif(typed.polyline, ''), nullif(typed.summary_polyline, '')) as polyline,
        case
            when nullif(typed.polyline, '') is not null then 'detailed'
            when nullif(typed.summary_polyline, '') is not null then 'summary'
        end as polyline_kind,
        typed.best_efforts,
        not source.is_deleted
        and (typed.has_unreadable_field or not typed.is_payload_object or {{ start_at_local }} is null) as has_unreadable_fields
    from source
    inner join typed on source.activity_id = typed.activity_id
)

select * from final
