insert into strava_totals (athlete_id, payload, observed_at, ingested_at)
select
    :athlete_id,
    :payload,
    :observed_at,
    :ingested_at
where exists (select 1 from strava_athletes where athlete_id = :athlete_id)
on conflict (athlete_id) do update set
    payload = excluded.payload,
    observed_at = excluded.observed_at,
    ingested_at = excluded.ingested_at
where excluded.observed_at > strava_totals.observed_at or strava_totals.observed_at > :latest;
