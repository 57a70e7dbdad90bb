-- Later than every stamp, as at a purge's end.
update purges set purged_at = greatest(@purged_at, timestamp_add(({last_stamp}), interval 1 microsecond))
where athlete_hash in unnest(@hashes)
