-- The row stays without a word of Strava's and with a hash that no activity has: so the streams are due, also those that only a
-- person asked for.
update strava_streams set
    payload = null,
    fetched_for = '[]',
    activity_hash = ''
where
    activity_id in (
        select activity_id
        from strava_streams
        where observed_at < :observed_before and activity_hash <> ''
        order by observed_at
        limit :how_many
    )
returning activity_id;
