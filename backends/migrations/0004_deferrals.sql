-- A message that was put off by a retry-after was not at fault, so its wait does not use up its attempts.
alter table queue_messages add column deferrals integer not null default 0;
