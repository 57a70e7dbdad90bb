insert into strava_gear (gear_id, athlete_id, payload, observed_at, ingested_at)
select
    :gear_id,
    :athlete_id,
    :payload,
    :observed_at,
    :ingested_at
where exists (select 1 from strava_athletes where athlete_id = :athlete_id)
on conflict (gear_id) do update set
    athlete_id = excluded.athlete_id,
    payload = excluded.payload,
    observed_at = excluded.observed_at,
    ingested_at = excluded.ingested_at
where excluded.observed_at > strava_gear.observed_at or strava_gear.observed_at > :latest;
