select
    read_at,
    changed_at,
    budget,
    lapsed_since,
    closed_until,
    closed_because,
    closed_kind,
    queued_count,
    queued_since
from pipeline_readings
where reading = 'current';
