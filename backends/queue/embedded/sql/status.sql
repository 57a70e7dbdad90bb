select
    (select count(*) from queue_messages where state <> 'dead') as waiting,
    (
        select published_at
        from queue_messages
        where message_id = (select min(message_id) from queue_messages where state <> 'dead')
    ) as oldest_published_at,
    (select count(*) from queue_messages where state = 'dead') as dead
