-- The embedded queue: messages on their way to the worker, and the dead letters.

create table queue_messages (
    message_id integer primary key autoincrement,   -- rises, and is never given twice
    data text not null,                             -- base64, as the push envelope carries it
    attributes text not null,                       -- JSON object of texts
    published_at text not null,                     -- UTC, YYYY-MM-DDTHH:MM:SS.ffffffZ
    state text not null default 'waiting'
        check (state in ('waiting', 'undelivered', 'dead')),  -- undelivered: given up, the dead-letter address has not acknowledged it yet
    due_ms integer not null,                        -- epoch ms: not to be delivered before; while it is leased, the end of the lease
    attempts integer not null default 0,            -- deliveries begun
    dead_letter_attempts integer not null default 0,  -- deliveries begun to the dead-letter address
    last_failure text,                              -- why the last delivery was not acknowledged
    died_at text                                    -- when it was given up
) strict;

create index queue_messages_by_due on queue_messages (due_ms) where state <> 'dead';
create index queue_messages_dead on queue_messages (message_id) where state = 'dead';
