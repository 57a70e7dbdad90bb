-- Lease messages that are due, and count the delivery that begins now. The newest goes first if it became due in the
-- last seconds, so that a live event does not wait behind a backlog; then those that are due longest. A message whose
-- decision lies in the future is due too: the clock was set back since. Each part reads only the index rows it returns.
update queue_messages
set
    due_ms = :lease_until_ms,
    decided_ms = :now_ms,
    attempts = attempts + (state = 'waiting'),
    dead_letter_attempts = dead_letter_attempts + (state = 'undelivered')
where message_id in (
    select message_id
    from (
        select *
        from (
            select
                message_id,
                0 as due_ms
            from queue_messages
            where state <> 'dead' and due_ms between :live_since_ms and :now_ms
            order by due_ms desc, message_id desc
            limit 1
        )
        union
        select *
        from (
            select
                message_id,
                due_ms
            from queue_messages
            where state <> 'dead' and due_ms <= :now_ms
            order by due_ms, message_id
            limit :how_many
        )
        union
        select *
        from (
            select
                message_id,
                due_ms
            from queue_messages
            where state <> 'dead' and decided_ms > :future_ms
            order by decided_ms, message_id
            limit :how_many
        )
    )
    order by due_ms, message_id
    limit :how_many
)
returning message_id, data, attributes, published_at, state, attempts, deferrals, dead_letter_attempts, last_failure
