delete from connect_invites where invite_id = :invite_id and athlete_id is null;
