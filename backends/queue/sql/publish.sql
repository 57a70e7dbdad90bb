-- One row per element of :messages, a JSON array of [data, attributes, published_at, due_ms], in its order.
insert into queue_messages (data, attributes, published_at, due_ms)
select
    json_extract(value, '$[0]'),
    json_extract(value, '$[1]'),
    json_extract(value, '$[2]'),
    json_extract(value, '$[3]')
from json_each(:messages)
order by key
