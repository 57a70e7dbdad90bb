-- :before is a JSON array; without :athlete_id it is about all.
update strava_athletes set
    status = :status,
    status_since = :status_since,
    status_reason = :status_reason
where
    (:athlete_id is null or athlete_id = :athlete_id)
    and status in (select value from json_each(:before));
