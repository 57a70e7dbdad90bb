-- When due_ms was decided. A decision from the future was made before the clock was set back, so it does not hold its
-- message: the wait that was meant cannot be told from the time by which the clock was wrong.
alter table queue_messages add column decided_ms integer not null default 0;  -- epoch ms

create index queue_messages_by_decision on queue_messages (decided_ms) where state <> 'dead';

-- The newest removal is asked for by every run of the transforms.
create index strava_activities_deleted on strava_activities (ingested_at) where is_deleted = 1;
