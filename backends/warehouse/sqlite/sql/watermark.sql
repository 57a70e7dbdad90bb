select
    (select max(ingested_at) from strava_activities),
    (select max(ingested_at) from strava_events),
    (select max(ingested_at) from strava_streams),
    (select max(ingested_at) from strava_gear),
    (select max(ingested_at) from strava_athlete_settings),
    (select max(finished_at) from reconciliations),
    (select max(purged_at) from purges),
    (select max(updated_at) from backfills),
    (select max(changed_at) from pipeline_readings);
