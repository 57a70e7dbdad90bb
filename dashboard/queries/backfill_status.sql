-- One row per connected athlete whose history was asked for.
select
    athlete_id,
    started_at,
    has_details,
    has_streams,
    streamed_count,
    listed_count,
    listed_at,
    waits_until,
    waits_because,
    waits_kind,
    expected_at,
    finished_at,
    failed_count,
    retry_at
from mart.backfill_status
where athlete_id = ?
