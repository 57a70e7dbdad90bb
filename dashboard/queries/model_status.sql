select
    model,
    definition_version,
    test_count,
    failed_count,
    tested_at
from mart.model_status
order by model
