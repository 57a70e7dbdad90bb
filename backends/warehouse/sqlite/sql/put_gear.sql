-- Where Strava does not have it any more, what is stored of it stays.
insert into strava_gear (gear_id, athlete_id, payload, observed_at, ingested_at, not_found_at)
select
    :gear_id,
    :athlete_id,
    :payload,
    :observed_at,
    :ingested_at,
    :not_found_at
where exists (select 1 from strava_athletes where athlete_id = :athlete_id)
on conflict (gear_id) do update set
    athlete_id = excluded.athlete_id,
    payload = coalesce(excluded.payload, strava_gear.payload),
    observed_at = case when excluded.payload is null then strava_gear.observed_at else excluded.observed_at end,
    ingested_at = excluded.ingested_at,
    not_found_at = excluded.not_found_at
where excluded.observed_at > strava_gear.observed_at or strava_gear.observed_at > :latest;
