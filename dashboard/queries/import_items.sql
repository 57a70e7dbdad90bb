-- Of an import what could not be read, what was not read whole, what was taken for another activity by more than its row, and
-- what may be one.
-- Parameters: athlete; the import; athlete; the import.
with told as (
    select
        t.item_kind,
        t.file_name,
        t.activity_id,
        t.outcome,
        t.matched_by,
        t.twin,
        t.reason
    from mart.import_item as t
    where
        t.athlete_id = ?
        and t.import_id = ?
        and (
            t.outcome in ('failed', 'skipped', 'cut_short', 'unreadable')
            or t.item_kind = 'problem'
            or t.matched_by in ('same_upload', 'same_recording', 'same_name', 'alike')
        )

    union all

    select
        'suspect' as item_kind,
        s.file_name,
        s.activity_id,
        s.suspect as outcome,
        null as matched_by,
        cast(s.twin_activity_id as string) as twin,
        null as reason
    from mart.import_suspect as s
    where
        s.athlete_id = ?
        and s.import_id = ?
)

select
    item_kind,
    file_name,
    activity_id,
    outcome,
    matched_by,
    twin,
    reason,
    count(*) over () as item_count
from told
order by
    case when outcome in ('failed', 'unreadable') then 1 when item_kind = 'problem' then 2 when reason is not null then 3 else 4 end,
    item_kind desc,
    file_name,
    activity_id
limit 100
