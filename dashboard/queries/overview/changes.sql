-- What changed since a moment: how many activities by kind, and the changes of the seven that changed last.
-- Imports are counted; of those that nothing else happened to, one is here for the counts, and it is not listed.
-- Parameters: athlete; the moment; whether private and deleted activities, which may have been private, are told.
with since as (
    select
        change_id,
        change_kind,
        changed_field,
        old_value,
        new_value,
        changed_at,
        import_id,
        activity_id,
        activity_name,
        sport_type,
        sport_group
    from mart.change_log
    where
        athlete_id = ?
        and changed_at > cast(? as timestamp)
        and (cast(? as bool) or not is_private)
),

-- a deletion counts more than a save, that more than an edit, and an import the least
activities as (
    select
        activity_id,
        min(
            case change_kind when 'deleted' then 1 when 'added' then 2 when 'restored' then 3 when 'changed' then 4 else 5 end
        ) as kind_number,
        max(changed_at) as last_changed_at
    from since
    group by activity_id
),

counted as (
    select
        activity_id,
        last_changed_at,
        kind_number < 5 as is_listed,
        row_number() over (partition by kind_number < 5 order by last_changed_at desc, activity_id) as place,
        sum(case when kind_number = 1 then 1 else 0 end) over () as deleted_count,
        sum(case when kind_number = 2 then 1 else 0 end) over () as added_count,
        sum(case when kind_number = 3 then 1 else 0 end) over () as restored_count,
        sum(case when kind_number = 4 then 1 else 0 end) over () as edited_count,
        sum(case when kind_number = 5 then 1 else 0 end) over () as imported_count
    from activities
)

select
    since.change_kind,
    since.changed_field,
    since.old_value,
    since.new_value,
    since.changed_at,
    since.import_id,
    since.activity_id,
    since.activity_name,
    since.sport_type,
    since.sport_group,
    counted.is_listed,
    counted.added_count,
    counted.imported_count,
    counted.edited_count,
    counted.deleted_count,
    counted.restored_count
from since
inner join counted on since.activity_id = counted.activity_id
where counted.place <= case when counted.is_listed then 7 else 1 end
order by
    counted.is_listed desc,
    counted.last_changed_at desc,
    since.activity_id,
    since.changed_at desc,
    since.change_id
