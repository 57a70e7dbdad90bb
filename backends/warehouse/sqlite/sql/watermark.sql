select
    (select max(ingested_at) from strava_activities),
    (select max(ingested_at) from strava_events),
    (select max(finished_at) from reconciliations),
    (select max(purged_at) from purges),
    (select max(updated_at) from backfills);
