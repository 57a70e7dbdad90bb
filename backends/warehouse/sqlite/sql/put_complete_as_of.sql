insert into _ingestion_state (athlete_id, complete_as_of, updated_at)
values (:athlete_id, :complete_as_of, :updated_at)
on conflict (athlete_id) do update set complete_as_of = excluded.complete_as_of,
updated_at = excluded.updated_at;
