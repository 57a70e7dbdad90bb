select max(stamp) as removed_at
from (
    select max(ingested_at) as stamp from strava_activities where is_deleted
    union all
    select max(purged_at) as stamp from purges
    union all
    select max(ingested_at) as stamp from retention_runs
)
