-- Streams never outlive their activity and their athlete, and of two the newest observation stays; one from the future, written
-- before the clock was set back, proves nothing.
merge into strava_streams as kept
using (
    select
        streams.activity_id,
        streams.athlete_id,
        streams.fetched_for,
        streams.activity_hash,
        streams.observed_at,
        streams.payload
    from unnest(@streams) as streams
    where
        if({guard}, true, error(concat('{stale}: streams ', cast(streams.activity_id as string))))
        and exists (select 1 from strava_athletes where athlete_id = @athlete_id)
        and exists (
            select 1
            from strava_activities
            where {ids} and activity_id = @activity_id and athlete_id = @athlete_id and not is_deleted
        )
) as given
    on kept.activity_id = given.activity_id and {kept_ids}
when
    matched and (
        given.observed_at > kept.observed_at
        or (given.observed_at = kept.observed_at and given.activity_hash > kept.activity_hash)
        or kept.observed_at > @latest
    )
    then update set
        athlete_id = given.athlete_id,
        fetched_for = given.fetched_for,
        activity_hash = given.activity_hash,
        observed_at = given.observed_at,
        ingested_at = current_timestamp(),
        payload = parse_json(given.payload, wide_number_mode => 'round')
when not matched
    then insert (activity_id, athlete_id, fetched_for, activity_hash, observed_at, ingested_at, payload)
    values (
        given.activity_id,
        given.athlete_id,
        given.fetched_for,
        given.activity_hash,
        given.observed_at,
        current_timestamp(),
        parse_json(given.payload, wide_number_mode => 'round')
    )
