-- Living details without streams, or with those of another version of the activity, or with expired ones. :rules is a JSON array
-- of pairs of athlete and sport, each null where all are meant. All of the athlete's are found by the athlete's number, what
-- changed since a moment by ingested_at: a poll reads no more than that. Whether one is new is told by its event, for its own
-- date may be any.
with looked_at as (
    select activity_id
    from strava_activities
    where
        :changed_since is null
        and athlete_id = :athlete_id
        and is_deleted = 0
        and resource_state = 3

    union all

    select activity_id
    from strava_activities
    where
        ingested_at > :changed_since
        and +athlete_id = :athlete_id
        and is_deleted = 0
        and resource_state = 3
),

details as (
    select
        activities.activity_id,
        activities.athlete_id,
        activities.start_date,
        activities.payload_hash,
        activities.payload
    from looked_at
    inner join strava_activities as activities on looked_at.activity_id = activities.activity_id
    where
        (:since is null or activities.start_date >= :since)
        and (
            :created_before is null
            or not exists (
                select 1
                from strava_events as events
                where
                    events.object_id = activities.activity_id
                    and events.object_type = 'activity'
                    and events.aspect_type = 'create'
                    and events.received_at >= :created_before
            )
        )
),

due as (
    select
        details.activity_id,
        details.athlete_id,
        details.start_date,
        details.payload_hash as activity_hash,
        json_array(
            json_extract(details.payload, '$.start_date'),
            json_extract(details.payload, '$.distance') * 1.0,
            json_extract(details.payload, '$.moving_time') * 1.0,
            json_extract(details.payload, '$.elapsed_time') * 1.0
        ) as fetched_for,
        streams.fetched_for as stored_for,
        streams.activity_id is not null and streams.payload is null as is_none
    from details
    left join strava_streams as streams on details.activity_id = streams.activity_id
    where
        case
            when streams.activity_id is not null then streams.activity_hash <> details.payload_hash
            else
                exists (
                    select 1
                    from json_each(:rules) as rules
                    where
                        coalesce(json_extract(rules.value, '$[0]') = details.athlete_id, 1)
                        and coalesce(
                            lower(json_extract(rules.value, '$[1]')) = lower(json_extract(details.payload, '$.sport_type')),
                            json_extract(rules.value, '$[1]') is null
                        )
                )
        end
)

select
    activity_id,
    athlete_id,
    fetched_for,
    activity_hash
from due
where stored_for is null or is_none or stored_for <> fetched_for
order by start_date desc, activity_id desc;
