-- The row stays without a word of Strava's and with a hash that no activity has: so the streams are due, also those that only a
-- person asked for.
merge into strava_streams as kept
using (
    select
        activity_id,
        row_number() over (order by activity_id) as place
    from strava_streams
    where activity_id in unnest(@activity_ids) and {ids} and observed_at < @observed_before
) as given
    on kept.activity_id = given.activity_id and {kept_ids}
when matched
    then update set
        payload = null,
        fetched_for = '[]',
        activity_hash = '',
        ingested_at = timestamp_add(current_timestamp(), interval given.place microsecond)
