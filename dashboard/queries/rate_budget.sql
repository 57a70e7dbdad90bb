select
    limit_name,
    call_limit,
    used_count,
    left_count,
    resets_at,
    read_at
from mart.rate_budget
order by resets_at, limit_name
