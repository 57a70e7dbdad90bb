select
    athlete_id,
    requested_at,
    since,
    has_details,
    started_at,
    listed_count,
    listed_at,
    waits_until,
    waits_because,
    waits_kind,
    expected_at,
    finished_at,
    updated_at,
    has_streams,
    failed_count,
    retry_at
from backfills
order by requested_at, athlete_id
