-- Streams never outlive their activity and their athlete, and of two the newest observation stays; one from the future, written
-- before the clock was set back, proves nothing.
insert into strava_streams (activity_id, athlete_id, fetched_for, activity_hash, observed_at, ingested_at, payload)
select
    :activity_id,
    :athlete_id,
    :fetched_for,
    :activity_hash,
    :observed_at,
    :ingested_at,
    :payload
where
    exists (
        select 1
        from strava_activities
        where activity_id = :activity_id and athlete_id = :athlete_id and is_deleted = 0
    )
    and exists (select 1 from strava_athletes where athlete_id = :athlete_id)
on conflict (activity_id) do update set
    athlete_id = excluded.athlete_id,
    fetched_for = excluded.fetched_for,
    activity_hash = excluded.activity_hash,
    observed_at = excluded.observed_at,
    ingested_at = excluded.ingested_at,
    payload = excluded.payload
where
    excluded.observed_at > strava_streams.observed_at
    or (excluded.observed_at = strava_streams.observed_at and excluded.activity_hash > strava_streams.activity_hash)
    or strava_streams.observed_at > :latest;
