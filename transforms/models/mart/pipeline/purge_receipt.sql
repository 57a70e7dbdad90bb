{{ config(materialized='view') }}

with purges as (
    select * from {{ portable(ref('stg_strava__purges')) }}
),

final as (
    select
        purge_id,
        purged_at,
        activity_count,
        event_count,
        row_count
    from purges
)

select * from final
