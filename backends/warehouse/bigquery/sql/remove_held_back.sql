delete from strava_activities
where activity_id in unnest(@activity_ids) and {ids} and observed_at <= @observed_until
