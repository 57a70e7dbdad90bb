-- What an event says, such as a title, must not outlive its activity; and there is nothing left to do for it.
-- :activity_ids is a JSON array.
delete from queue_messages
where
    state = 'dead'
    and json_extract(attributes, '$.object_type') = 'activity'
    and json_extract(attributes, '$.object_id') in (select cast(value as text) from json_each(:activity_ids));
