select
    read_at,
    changed_at,
    to_json_string(budget) as budget,
    lapsed_since,
    closed_until,
    closed_because,
    closed_kind,
    queued_count,
    queued_since
from pipeline_readings
where reading = 'current'
