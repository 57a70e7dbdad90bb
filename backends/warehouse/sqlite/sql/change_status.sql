-- :before is a JSON array; without :athlete_id it is about all. The end of a lapse leaves no moment, for nobody connected by it.
update strava_athletes set
    status = :status,
    status_since = case when status <> 'app_inactive' or :status <> 'connected' then :status_since end,
    status_reason = :status_reason
where
    (:athlete_id is null or athlete_id = :athlete_id)
    and status in (select value from json_each(:before));
