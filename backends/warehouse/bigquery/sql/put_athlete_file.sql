merge into athlete_files as kept
using (
    select
        @athlete_id as athlete_id,
        @payload as payload,
        @file_hash as file_hash
    from unnest([1]) as one
    where
        if({guard}, true, error(concat('{stale}: file ', cast(one as string))))
        and exists (select 1 from strava_athletes where athlete_id = @athlete_id)
) as given
    on kept.athlete_id = given.athlete_id
when matched and given.file_hash <> kept.file_hash
    then update set
        payload = parse_json(given.payload, wide_number_mode => 'round'),
        file_hash = given.file_hash,
        ingested_at = current_timestamp()
when not matched
    then insert (athlete_id, payload, file_hash, ingested_at)
    values (
        given.athlete_id,
        parse_json(given.payload, wide_number_mode => 'round'),
        given.file_hash,
        current_timestamp()
    )
