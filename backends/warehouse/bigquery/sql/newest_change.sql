select max(ingested_at) as ingested_at from strava_activities
