-- Work still queued for the athlete, dead letters included; the queue keeps its attributes as JSON texts.
delete from queue_messages
where json_extract(attributes, '$.owner_id') = cast(:athlete_id as text);
