-- What events are decided on: every athlete and receipt, and the rows of their activities, with the payloads that an edit would
-- replace: those of the newest, as far as there is room for them.
select
    athlete_id,
    scope,
    status,
    updated_at,
    status_since,
    status_reason,
    fenced_until,
    athlete_hash,
    purged_at,
    cast(null as int64) as activity_id,
    cast(null as int64) as resource_state,
    cast(null as timestamp) as observed_at,
    cast(null as bool) as is_deleted,
    cast(null as string) as payload_hash,
    cast(null as timestamp) as seen_alive_at,
    cast(null as timestamp) as event_time,
    cast(null as string) as source,
    cast(null as string) as payload
from (
{athletes}
)
union all
select
    athlete_id,
    cast(null as string),
    cast(null as string),
    cast(null as timestamp),
    cast(null as timestamp),
    cast(null as string),
    cast(null as timestamp),
    cast(null as string),
    cast(null as timestamp),
    activity_id,
    resource_state,
    observed_at,
    is_deleted,
    payload_hash,
    seen_alive_at,
    event_time,
    source,
    if(sum(byte_length(payload)) over (order by activity_id desc) <= @room, payload, null)
from (
    select
        athlete_id,
        activity_id,
        resource_state,
        observed_at,
        is_deleted,
        payload_hash,
        seen_alive_at,
        event_time,
        source,
        if(is_deleted, null, to_json_string(payload)) as payload
    from strava_activities
    where activity_id in unnest(@activity_ids) and {ids}
)
