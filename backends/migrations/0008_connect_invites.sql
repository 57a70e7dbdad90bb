-- Invitations to connect that were used: each works once, so it is remembered until it expires.
create table connect_invites (
    invite_id text primary key,
    expires_at text not null,
    athlete_id integer                  -- whom it connected; null while that is under way, and after a purge
) strict;
