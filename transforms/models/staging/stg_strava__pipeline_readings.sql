{% set limits = ['quarter', 'day', 'read_quarter', 'read_day'] %}
{% set lanes = ['live', 'reconcile', 'detail', 'streams'] %}
{% set places = ['refused.live', 'refused.reconcile', 'refused.detail', 'refused.streams'] %}
{% for limit in limits %}{% do places.extend([limit ~ '.limit', limit ~ '.used', limit ~ '.resets_at']) %}{% endfor %}

with source as (
    {{
        raw_rows(
            'pipeline_readings',
            {
                'reading': 'string',
                'read_at': 'timestamp',
                'changed_at': 'timestamp',
                'budget': 'json',
                'lapsed_since': 'timestamp',
                'closed_until': 'timestamp',
                'closed_because': 'string',
                'closed_kind': 'string',
                'queued_count': 'int64',
                'queued_since': 'timestamp',
            },
        )
    }}
),

fields as (
    {{ opened('source', 'reading', places, document='budget') }}
),

renamed as (
    select
        source.reading,
        source.read_at,
        source.changed_at,
        {%- for limit in limits %}
        {{ as_int('fields.' ~ limit ~ '_limit') }} as {{ limit }}_limit,
        {{ as_int('fields.' ~ limit ~ '_used') }} as {{ limit }}_used_count,
        {{ as_timestamp('fields.' ~ limit ~ '_resets_at') }} as {{ limit }}_resets_at,
        {%- endfor %}
        {%- for lane in lanes %}
        coalesce({{ as_int('fields.refused_' ~ lane) }}, 0) as {{ lane }}_refused_count,
        {%- endfor %}
        source.lapsed_since,
        source.closed_until,
        source.closed_because,
        source.closed_kind,
        source.queued_count,
        source.queued_since
    from source
    inner join fields on source.reading = fields.reading
)

select * from renamed
