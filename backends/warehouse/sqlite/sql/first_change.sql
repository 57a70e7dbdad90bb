-- Of what `watermark` looks at, the first change after a moment: an index, or a few rows.
select min(moment) as changed_at
from (
    select min(ingested_at) as moment from strava_activities where ingested_at > :after
    union all
    select min(ingested_at) as moment from strava_events where ingested_at > :after
    union all
    select min(ingested_at) as moment from strava_streams where ingested_at > :after
    union all
    select min(ingested_at) as moment from strava_gear where ingested_at > :after
    union all
    select min(ingested_at) as moment from strava_athlete_settings where ingested_at > :after
    union all
    select min(finished_at) as moment from reconciliations where finished_at > :after
    union all
    select min(purged_at) as moment from purges where purged_at > :after
    union all
    select min(updated_at) as moment from backfills where updated_at > :after
    union all
    select min(changed_at) as moment from pipeline_readings where changed_at > :after
    union all
    select min(updated_at) as moment from strava_athletes where updated_at > :after
    union all
    select min(status_since) as moment from strava_athletes where status_since > :after
);
