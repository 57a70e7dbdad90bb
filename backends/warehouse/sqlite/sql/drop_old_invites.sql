delete from connect_invites where expires_at < :expired_before;
