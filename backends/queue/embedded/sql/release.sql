-- Release leases. The counts identify the lease: a later lease of the same message has raised one of them.
update queue_messages
set
    state = released.state,
    due_ms = released.due_ms,
    decided_ms = released.decided_ms,
    deferrals = released.deferrals,
    last_failure = coalesce(released.failure, queue_messages.last_failure),
    died_at = coalesce(queue_messages.died_at, released.died_at)
from (
    select
        json_extract(value, '$.message_id') as message_id,
        json_extract(value, '$.attempts') as attempts,
        json_extract(value, '$.deferrals') as deferrals,
        json_extract(value, '$.dead_letter_attempts') as dead_letter_attempts,
        json_extract(value, '$.state') as state,
        json_extract(value, '$.due_ms') as due_ms,
        json_extract(value, '$.decided_ms') as decided_ms,
        json_extract(value, '$.failure') as failure,
        json_extract(value, '$.died_at') as died_at
    from json_each(:settlements)
) as released
where
    queue_messages.message_id = released.message_id
    and queue_messages.attempts = released.attempts
    and queue_messages.dead_letter_attempts = released.dead_letter_attempts
