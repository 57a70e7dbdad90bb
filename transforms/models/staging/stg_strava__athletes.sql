{{ config(materialized='ephemeral') }}

with source as (
    {{ raw_rows('strava_athletes', {'athlete_id': 'int64', 'status': 'string', 'updated_at': 'timestamp'}) }}
)

select * from source
