insert into transform_runs (run_id, watermark, started_at, finished_at, published_at, is_full_refresh, error)
values (:run_id, :watermark, :started_at, :finished_at, :published_at, :is_full_refresh, :error)
on conflict (run_id) do nothing;
