-- Of the newest imports what was not read whole, what was taken for another activity by more than its row, and what may be one.
with newest as (
    select
        i.import_id,
        i.started_at
    from mart.import as i
    where i.athlete_id = ?
    order by i.started_at desc, i.import_id desc
    limit 5
),

told as (
    select
        t.import_id,
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
        and (
            t.outcome in ('failed', 'skipped', 'cut_short', 'unreadable')
            or t.item_kind = 'problem'
            or t.matched_by in ('same_upload', 'same_recording', 'same_name', 'alike')
        )

    union all

    select
        s.import_id,
        'suspect' as item_kind,
        s.file_name,
        s.activity_id,
        s.suspect as outcome,
        null as matched_by,
        cast(s.twin_activity_id as string) as twin,
        null as reason
    from mart.import_suspect as s
    where s.athlete_id = ?
)

select
    told.item_kind,
    told.file_name,
    told.activity_id,
    told.outcome,
    told.matched_by,
    told.twin,
    told.reason
from told
inner join newest on told.import_id = newest.import_id
order by newest.started_at desc, told.item_kind desc, told.file_name, told.activity_id
limit 100
