-- Makes the given one the current one, or none; the one before is kept as ended.
merge into strava_subscriptions as kept
using (
    select one
    from unnest([@subscription_id]) as one
    where one is not null
) as given
    on kept.subscription_id = given.one
when matched
    then update set ended_at = null
when not matched
    then insert (subscription_id, remembered_at, ended_at)
    values (given.one, @now, null)
when not matched by source and kept.ended_at is null
    then update set ended_at = @now
