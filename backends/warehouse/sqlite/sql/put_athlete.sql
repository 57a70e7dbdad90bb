insert into strava_athletes (athlete_id, scope, status, updated_at)
values (:athlete_id, :scope, :status, :updated_at)
on conflict (athlete_id) do update set
    scope = excluded.scope,
    status = excluded.status,
    updated_at = excluded.updated_at;
