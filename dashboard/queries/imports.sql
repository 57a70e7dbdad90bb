-- The newest imports of the athlete's own files, running ones included.
select
    i.import_id,
    i.started_at,
    i.updated_at,
    i.finished_at,
    i.status,
    i.reason,
    i.source_name,
    i.exported_at,
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
from mart.import as i
where i.athlete_id = ?
order by i.started_at desc, i.import_id desc
limit 5
