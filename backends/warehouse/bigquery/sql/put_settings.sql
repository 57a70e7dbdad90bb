-- The athlete's newest row must still be the one that this one was compared with.
merge into strava_athlete_settings as kept
using (
    select
        @settings_id as settings_id,
        @athlete_id as athlete_id,
        @payload as payload,
        @observed_at as observed_at
    from unnest([1]) as one
    where
        if(
            {guard}
            and (select max(ingested_at) from strava_athlete_settings where athlete_id = @athlete_id)
            is not distinct from @known_ingested_at,
            true,
            error(concat('{stale}: settings ', cast(one as string)))
        )
        and exists (select 1 from strava_athletes where athlete_id = @athlete_id)
) as given
    on kept.settings_id = given.settings_id
when not matched
    then insert (settings_id, athlete_id, payload, observed_at, ingested_at)
    values (
        given.settings_id,
        given.athlete_id,
        parse_json(given.payload, wide_number_mode => 'round'),
        given.observed_at,
        current_timestamp()
    )
