-- A row for the invitation, which nobody has claimed yet; those that expired are forgotten. Of two programs at once each may add one.
merge into connect_invites as kept
using (
    select
        @invite_id as invite_id,
        @expires_at as expires_at
) as given
    on kept.invite_id = given.invite_id
when not matched
    then insert (invite_id, expires_at)
    values (given.invite_id, given.expires_at)
when not matched by source and kept.expires_at < @expired_before
    then delete
