merge into strava_totals as kept
using (
    select
        @athlete_id as athlete_id,
        @payload as payload,
        @observed_at as observed_at
    from unnest([1]) as one
    where
        if({guard}, true, error(concat('{stale}: totals ', cast(one as string))))
        and exists (select 1 from strava_athletes where athlete_id = @athlete_id)
) as given
    on kept.athlete_id = given.athlete_id
when matched and (given.observed_at > kept.observed_at or kept.observed_at > @latest)
    then update set
        payload = parse_json(given.payload, wide_number_mode => 'round'),
        observed_at = given.observed_at,
        ingested_at = current_timestamp()
when not matched
    then insert (athlete_id, payload, observed_at, ingested_at)
    values (
        given.athlete_id,
        parse_json(given.payload, wide_number_mode => 'round'),
        given.observed_at,
        current_timestamp()
    )
