-- What a reconciliation concluded, why, and from when on another try can go further. Nothing wrote this table before.
alter table reconciliations add column unreadable integer not null default 0;
alter table reconciliations add column verdict text not null default 'incomplete';
alter table reconciliations add column reason text;
alter table reconciliations add column retry_at text;
