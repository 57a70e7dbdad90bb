-- Every athlete, and every receipt of a purge: together they are the fence.
select
    athlete_id,
    scope,
    status,
    updated_at,
    status_since,
    status_reason,
    fenced_until,
    cast(null as string) as athlete_hash,
    cast(null as timestamp) as purged_at
from strava_athletes
union all
select
    cast(null as int64),
    cast(null as string),
    cast(null as string),
    cast(null as timestamp),
    cast(null as timestamp),
    cast(null as string),
    cast(null as timestamp),
    athlete_hash,
    purged_at
from purges
