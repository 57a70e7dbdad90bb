-- One of several callers adds the row; for all others it is there.
insert into connect_invites (invite_id, expires_at, claimed_at)
values (:invite_id, :expires_at, :claimed_at)
on conflict (invite_id) do nothing;
