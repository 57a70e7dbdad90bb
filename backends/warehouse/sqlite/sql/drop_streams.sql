-- :activity_ids is a JSON array.
delete from strava_streams
where activity_id in (select value from json_each(:activity_ids));
