select
    purge_id,
    purged_at,
    activity_count,
    event_count,
    row_count
from mart.purge_receipt
order by purged_at desc, purge_id
limit 20
