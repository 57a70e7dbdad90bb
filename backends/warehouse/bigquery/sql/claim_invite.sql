-- Changes of rows that are there take turns, so of several callers one finds the invitation unclaimed.
update connect_invites set claimed_at = @claimed_at
where
    invite_id = @invite_id
    and not exists (
        select 1
        from connect_invites as others
        where others.invite_id = @invite_id and others.claimed_at is not null
    )
