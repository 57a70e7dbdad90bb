-- The row stays until it expires, for another caller may be about to claim it.
update connect_invites set claimed_at = null
where invite_id = @invite_id and athlete_id is null
