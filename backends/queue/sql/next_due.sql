select min(due_ms)
from queue_messages
where state <> 'dead'
