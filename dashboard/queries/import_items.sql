-- Of the newest imports what was not read whole, and what was taken for another activity by more than its row.
with newest as (
    select i.import_id
    from mart.import as i
    where i.athlete_id = ?
    order by i.started_at desc, i.import_id desc
    limit 5
)

select
    t.item_kind,
    t.file_name,
    t.activity_id,
    t.outcome,
    t.matched_by,
    t.twin,
    t.reason,
    t.finished_at
from mart.import_item as t
inner join newest on t.import_id = newest.import_id
where
    t.athlete_id = ?
    and (
        t.outcome in ('failed', 'skipped', 'cut_short', 'unreadable')
        or t.item_kind = 'problem'
        or t.matched_by in ('same_upload', 'same_recording', 'same_name', 'alike')
    )
order by t.finished_at desc, t.file_name, t.activity_id
limit 100
