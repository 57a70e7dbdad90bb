-- A stable word beside each reason, by which a page says it in the reader's language; null in rows of older versions.
alter table strava_events add column reason_kind text;
alter table reconciliations add column stopped_kind text;
alter table backfills add column waits_kind text;
alter table pipeline_readings add column closed_kind text;
