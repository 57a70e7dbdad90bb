-- However late the acknowledgement comes, the work is done.
delete from queue_messages
where message_id in (select value from json_each(:message_ids))
