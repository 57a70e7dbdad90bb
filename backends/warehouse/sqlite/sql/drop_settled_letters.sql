-- Dead letters of events that are settled: nobody needs to look at them any more. :event_ids is a JSON array; the event of a
-- message that could not be read is named by the message.
delete from queue_messages
where message_id in (
    select message_id
    from queue_messages
    where state = 'dead' and json_extract(attributes, '$.event_id') in (select value from json_each(:event_ids))
    union all
    select message_id
    from queue_messages
    where
        state = 'dead'
        and message_id in (
            select cast(substr(value, 12) as integer)
            from json_each(:event_ids)
            where value like 'unreadable/%'
        )
);
