{{ config(materialized='view' if target.type == 'bigquery' else 'table', cluster_by=['athlete_id', 'sport_group']) }}

with final as (
    select
        athlete_id,
        sport_group,
        unit,
        period,
        counts_virtual,
        max(distance) as longest_day
    from {{ portable(ref('int_records__eddington_days')) }}
    group by athlete_id, sport_group, unit, period, counts_virtual
)

select * from final
