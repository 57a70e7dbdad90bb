-- Up to where an athlete's history is complete is told by the moment of a listing, not by an activity's own date: one that
-- is dated 2099 would hide all others. What was written before was by date, so it vouches for nothing.
alter table _ingestion_state rename column last_successful_start_date to complete_as_of;
alter table _ingestion_state add column listing_began_at text;
update _ingestion_state set
    complete_as_of = null,
    backfill_cursor = null;
