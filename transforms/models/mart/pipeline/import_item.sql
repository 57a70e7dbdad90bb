{{ config(materialized='view') }}

with items as (
    select * from {{ portable(ref('stg_archive__import_items')) }}
),

final as (
    select
        athlete_id,
        import_id,
        item_id,
        item_kind,
        file_name,
        activity_id,
        outcome,
        matched_by,
        twin,
        reason,
        finished_at
    from items
)

select * from final
