-- The invitation stays used, but whom it connected is forgotten.
update connect_invites set athlete_id = null
where athlete_id = @athlete_id
