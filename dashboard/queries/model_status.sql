select
    model,
    cast(null as int64) as definition_version,
    test_count,
    failed_count,
    tested_at
from mart.model_status
order by model
