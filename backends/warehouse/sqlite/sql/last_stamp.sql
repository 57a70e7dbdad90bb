-- The newest stamp ever given: a purge takes one too, so that removing the newest row does not turn the clock back.
select max(stamp)
from (
    select max(ingested_at) as stamp from strava_activities
    union all
    select max(ingested_at) as stamp from strava_events
    union all
    select max(ingested_at) as stamp from strava_streams
    union all
    select max(ingested_at) as stamp from strava_gear
    union all
    select max(ingested_at) as stamp from strava_athlete_settings
    union all
    select max(purged_at) as stamp from purges
);
