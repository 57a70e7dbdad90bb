-- What the last-write-wins rule made of a batch. Each row must still be what it was worked out from, and no athlete of the batch
-- purged or connected since: otherwise nothing is put at all. Only literal ids keep BigQuery from reading all of the table.
merge into strava_activities as kept
using (
    select
        seen.activity_id,
        seen.athlete_id,
        seen.resource_state,
        seen.start_date,
        seen.event_time,
        seen.observed_at,
        seen.seen_alive_at,
        seen.is_deleted,
        seen.source,
        seen.payload_hash,
        seen.event_id,
        seen.payload,
        seen.place,
        seen.is_change
    from unnest(@seen) as seen
    left join (
        select
            activity_id,
            observed_at,
            is_deleted,
            payload_hash,
            seen_alive_at
        from strava_activities
        where {ids}
    ) as found on seen.activity_id = found.activity_id
    where
        if(
            {guard}
            and (found.activity_id is not null) = seen.is_known
            and found.observed_at is not distinct from seen.known_observed_at
            and found.is_deleted is not distinct from seen.known_is_deleted
            and found.payload_hash is not distinct from seen.known_payload_hash
            and found.seen_alive_at is not distinct from seen.known_seen_alive_at,
            true,
            error(concat('{stale}: activity ', cast(seen.activity_id as string)))
        )
) as seen
    on kept.activity_id = seen.activity_id and {kept_ids}
when matched and seen.is_change
    then update set
        athlete_id = seen.athlete_id,
        resource_state = seen.resource_state,
        start_date = seen.start_date,
        event_time = seen.event_time,
        observed_at = seen.observed_at,
        seen_alive_at = seen.seen_alive_at,
        is_deleted = seen.is_deleted,
        source = seen.source,
        payload_hash = seen.payload_hash,
        event_id = seen.event_id,
        ingested_at = timestamp_add(current_timestamp(), interval seen.place microsecond),
        payload = parse_json(seen.payload, wide_number_mode => 'round')
when matched
    then update set
        observed_at = seen.observed_at,
        seen_alive_at = seen.seen_alive_at
when not matched
    then insert (
        activity_id,
        athlete_id,
        resource_state,
        start_date,
        event_time,
        observed_at,
        seen_alive_at,
        is_deleted,
        source,
        payload_hash,
        event_id,
        ingested_at,
        payload
    )
    values (
        seen.activity_id,
        seen.athlete_id,
        seen.resource_state,
        seen.start_date,
        seen.event_time,
        seen.observed_at,
        seen.seen_alive_at,
        seen.is_deleted,
        seen.source,
        seen.payload_hash,
        seen.event_id,
        timestamp_add(current_timestamp(), interval seen.place microsecond),
        parse_json(seen.payload, wide_number_mode => 'round')
    )
