-- One of several callers adds the row; for all others it is there.
insert into connect_invites (invite_id, expires_at, athlete_id)
values (:invite_id, :expires_at, null)
on conflict (invite_id) do nothing;
