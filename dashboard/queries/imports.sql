-- The newest imports of the athlete's own files, running ones included, and one that is asked for; of each how many
-- activities it brought, and how many of those in it were here before.
-- Parameters: athlete; the import; athlete.
with placed as (
    select
        i.*,
        row_number() over (order by i.started_at desc, i.import_id desc) as place
    from mart.import as i
    where i.athlete_id = ?
),

imports as (
    select * from placed
    where
        place <= 5
        or import_id = ?
),

activities as (
    select
        import_id,
        activity_id,
        max(case when outcome = 'new' or (outcome in ('read', 'cut_short') and matched_by is null) then 1 else 0 end) as is_new
    from mart.import_item
    where
        athlete_id = ?
        and import_id in (select import_id from imports)
        and activity_id is not null
        and outcome in ('new', 'same_id', 'updated', 'read', 'cut_short', 'same_file')
    group by import_id, activity_id
),

counted as (
    select
        import_id,
        sum(is_new) as activity_new_count,
        sum(1 - is_new) as activity_known_count
    from activities
    group by import_id
)

select
    i.import_id,
    i.started_at,
    i.updated_at,
    i.finished_at,
    i.status,
    i.reason,
    i.source_name,
    i.exported_at,
    coalesce(counted.activity_new_count, 0) as activity_new_count,
    coalesce(counted.activity_known_count, 0) as activity_known_count,
    i.row_count,
    i.row_new_count,
    i.row_same_id_count,
    i.row_updated_count,
    i.row_skipped_count,
    i.row_unreadable_count,
    i.row_open_count,
    i.file_count,
    i.file_read_count,
    i.file_cut_short_count,
    i.file_same_file_count,
    i.file_skipped_count,
    i.file_failed_count,
    i.file_open_count,
    i.media_count,
    i.other_count
from imports as i
left join counted on i.import_id = counted.import_id
order by i.place
