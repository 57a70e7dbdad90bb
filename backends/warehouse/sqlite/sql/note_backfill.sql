update backfills set
    has_streams = :has_streams,
    started_at = :started_at,
    listed_count = :listed_count,
    listed_at = :listed_at,
    waits_until = :waits_until,
    waits_because = :waits_because,
    waits_kind = :waits_kind,
    expected_at = :expected_at,
    finished_at = :finished_at,
    updated_at = :updated_at,
    failed_count = :failed_count,
    retry_at = :retry_at
where athlete_id = :athlete_id and requested_at = :requested_at;
