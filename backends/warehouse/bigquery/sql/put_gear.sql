-- Where Strava does not have it any more, what is stored of it stays.
merge into strava_gear as kept
using (
    select
        @gear_id as gear_id,
        @athlete_id as athlete_id,
        @payload as payload,
        @observed_at as observed_at,
        @not_found_at as not_found_at
    from unnest([1]) as one
    where
        if({guard}, true, error(concat('{stale}: gear ', cast(one as string))))
        and exists (select 1 from strava_athletes where athlete_id = @athlete_id)
) as given
    on kept.gear_id = given.gear_id
when matched and (given.observed_at > kept.observed_at or kept.observed_at > @latest)
    then update set
        athlete_id = given.athlete_id,
        payload = coalesce(parse_json(given.payload, wide_number_mode => 'round'), kept.payload),
        observed_at = if(given.payload is null, kept.observed_at, given.observed_at),
        ingested_at = current_timestamp(),
        not_found_at = given.not_found_at
when not matched
    then insert (gear_id, athlete_id, payload, observed_at, ingested_at, not_found_at)
    values (
        given.gear_id,
        given.athlete_id,
        parse_json(given.payload, wide_number_mode => 'round'),
        given.observed_at,
        current_timestamp(),
        given.not_found_at
    )
