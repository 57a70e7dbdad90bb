-- The imports that brought or changed activities since a moment, the newest first, and of how many.
-- Parameters: athlete; the moment; whether private activities are told; athlete.
select
    imports.import_id,
    imports.started_at,
    count(*) as activity_count
from mart.change_log as changes
inner join mart.import as imports on changes.import_id = imports.import_id
where
    changes.athlete_id = ?
    and changes.changed_at > cast(? as timestamp)
    and (cast(? as bool) or not changes.is_private)
    and imports.athlete_id = ?
group by imports.import_id, imports.started_at
order by imports.started_at desc, imports.import_id desc
