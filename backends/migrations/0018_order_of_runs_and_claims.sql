-- BigQuery has no order of rows, and claims an invitation by changing its row; here both are told for the same columns everywhere.
alter table transform_runs add column ingested_at text;
alter table connect_invites add column claimed_at text;
