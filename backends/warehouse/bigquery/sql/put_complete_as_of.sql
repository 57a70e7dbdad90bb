merge into _ingestion_state as kept
using (
    select @athlete_id as athlete_id
    from unnest([1]) as one
    where if({guard}, true, error(concat('{stale}: state ', cast(one as string))))
) as given
    on kept.athlete_id = given.athlete_id
when matched
    then update set
        complete_as_of = @complete_as_of,
        updated_at = @updated_at
when not matched
    then insert (athlete_id, complete_as_of, updated_at)
    values (given.athlete_id, @complete_as_of, @updated_at)
