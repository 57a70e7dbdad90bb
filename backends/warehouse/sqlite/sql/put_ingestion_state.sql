insert into _ingestion_state (athlete_id, complete_as_of, listing_began_at, backfill_cursor, updated_at)
values (:athlete_id, :complete_as_of, :listing_began_at, :backfill_cursor, :updated_at)
on conflict (athlete_id) do update set
    complete_as_of = excluded.complete_as_of,
    listing_began_at = excluded.listing_began_at,
    backfill_cursor = excluded.backfill_cursor,
    updated_at = excluded.updated_at;
