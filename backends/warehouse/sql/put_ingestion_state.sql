insert into _ingestion_state (athlete_id, last_successful_start_date, backfill_cursor, updated_at)
values (:athlete_id, :last_successful_start_date, :backfill_cursor, :updated_at)
on conflict (athlete_id) do update set
    last_successful_start_date = excluded.last_successful_start_date,
    backfill_cursor = excluded.backfill_cursor,
    updated_at = excluded.updated_at;
