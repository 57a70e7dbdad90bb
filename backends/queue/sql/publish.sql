-- One row per element of :messages, a JSON array of [data, attributes], in its order.
insert into queue_messages (data, attributes, published_at, due_ms, decided_ms)
select
    json_extract(value, '$[0]'),
    json_extract(value, '$[1]'),
    :published_at,
    :due_ms,
    :due_ms
from json_each(:messages)
order by key
