-- Later than every stamp, also where the clock was set back: what was built until now may still hold what is gone.
update purges set
    removed = parse_json(@removed),
    purged_at = greatest(@purged_at, timestamp_add(({last_stamp}), interval 1 microsecond))
where purge_id = @purge_id
