-- An acknowledgement counts even after its lease has ended, because the work is done.
delete from queue_messages
where message_id in (select value from json_each(:message_ids))
