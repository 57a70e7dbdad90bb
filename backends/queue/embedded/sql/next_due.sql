select
    (select min(due_ms) from queue_messages where state <> 'dead') as next_due_ms,
    (select max(decided_ms) from queue_messages where state <> 'dead') as last_decided_ms
