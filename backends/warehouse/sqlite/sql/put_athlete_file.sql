insert into athlete_files (athlete_id, payload, file_hash, ingested_at)
select
    :athlete_id,
    :payload,
    :file_hash,
    :ingested_at
where exists (select 1 from strava_athletes where athlete_id = :athlete_id)
on conflict (athlete_id) do update set
    payload = excluded.payload,
    file_hash = excluded.file_hash,
    ingested_at = excluded.ingested_at
where excluded.file_hash <> athlete_files.file_hash;
