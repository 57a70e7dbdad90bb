{% set scopes, sports = ['ytd', 'all'], ['ride', 'run', 'swim'] %}
{% set totals = modules.itertools.product(scopes, sports) | list %}
{% set sums = ['totals.count', 'totals.distance', 'totals.moving_time', 'totals.elevation_gain'] %}
{% set paths = modules.itertools.product(scopes, sports, sums) | map('join', '_') | list %}

with source as (
    {{
        raw_rows(
            'strava_totals',
            {
                'athlete_id': 'int64',
                'payload': 'json',
                'observed_at': 'timestamp',
                'ingested_at': 'timestamp',
            },
            conditions=known_then('observed_at'),
        )
    }}
),

fields as (
    {{ opened('source', 'athlete_id', paths) }}
),

told as (
    {% for scope, sport in totals %}
    select
        athlete_id,
        '{{ scope }}' as scope,
        '{{ sport }}' as sport_group,
        {{ as_int(scope ~ '_' ~ sport ~ '_totals_count') }} as activity_count,
        {{ as_float(scope ~ '_' ~ sport ~ '_totals_distance') }} as distance_m,
        {{ as_int(scope ~ '_' ~ sport ~ '_totals_moving_time') }} as moving_time_s,
        {{ as_float(scope ~ '_' ~ sport ~ '_totals_elevation_gain') }} as elevation_gain_m
    from fields
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

renamed as (
    select
        told.athlete_id,
        told.sport_group,
        told.scope,
        case when told.scope = 'ytd' then cast(extract(year from source.observed_at) as int64) end as calendar_year,
        told.activity_count,
        told.distance_m,
        told.moving_time_s,
        told.elevation_gain_m,
        source.observed_at,
        source.ingested_at
    from told
    inner join source on told.athlete_id = source.athlete_id
    where told.activity_count is not null
)

select * from renamed
