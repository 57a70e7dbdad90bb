select
    delivery_id,
    event_id,
    object_type,
    aspect_type,
    object_id,
    athlete_id,
    subscription_id,
    event_time,
    updates,
    received_at,
    outcome,
    reason,
    reason_kind,
    message,
    retry_at,
    attempt,
    finished_at
from strava_events as events
where
    (:event_id is null or event_id = :event_id)
    and (:athlete_id is null or athlete_id = :athlete_id)
    and (:activity_id is null or (object_type = 'activity' and object_id = :activity_id))
    and (:outcome is null or outcome = :outcome)
    and (:since is null or finished_at >= :since)
    and (:until is null or finished_at < :until)
    and (not :is_dead or (outcome = 'parked' and delivery_id like '%/dead'))
    and (
        not :is_newest
        or not exists (
            select 1
            from strava_events as later
            where later.event_id = events.event_id and later.ingested_at > events.ingested_at
        )
    )
order by ingested_at desc
limit :limit;
