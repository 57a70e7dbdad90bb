insert into strava_athlete_settings (settings_id, athlete_id, payload, observed_at, ingested_at)
select
    :settings_id,
    :athlete_id,
    :payload,
    :observed_at,
    :ingested_at
where exists (select 1 from strava_athletes where athlete_id = :athlete_id);
