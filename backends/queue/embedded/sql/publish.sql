-- The caller appends one row of values for each message.
insert into queue_messages (data, attributes, published_at, due_ms, decided_ms)
values
