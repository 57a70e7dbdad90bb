update connect_invites set athlete_id = @athlete_id
where invite_id = @invite_id
