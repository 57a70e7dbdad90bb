-- When the first of the events is due that are off the queue, and when the newest row of these was written; nulls where none is. BigQuery's
-- cache answers it until a row comes.
select
    min(retry_at) as retry_at,
    max(finished_at) as finished_at
{off_queue}
