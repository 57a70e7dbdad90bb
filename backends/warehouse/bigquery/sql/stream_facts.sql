-- What decides whether streams of these activities are due. Payloads are read of the partitions of these alone.
select
    activities.activity_id,
    activities.payload_hash,
    json_value(activities.payload, '$.sport_type') as sport_type,
    json_value(activities.payload, '$.start_date') as start_date,
    safe_cast(json_value(activities.payload, '$.distance') as float64) as distance,
    safe_cast(json_value(activities.payload, '$.moving_time') as float64) as moving_time,
    safe_cast(json_value(activities.payload, '$.elapsed_time') as float64) as elapsed_time,
    streams.fetched_for as stored_for
from strava_activities as activities
left join (
    select
        activity_id,
        fetched_for
    from strava_streams
    where {ids}
) as streams on activities.activity_id = streams.activity_id
where activities.activity_id in unnest(@activity_ids) and {activity_ids} and not activities.is_deleted
