select
    read_at,
    changed_at,
    budget,
    lapsed_since,
    closed_until,
    closed_because,
    queued_count,
    queued_since
from pipeline_readings
where reading = 'current';
