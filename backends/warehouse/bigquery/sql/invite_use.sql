select athlete_id
from connect_invites
where invite_id = @invite_id and claimed_at is not null
