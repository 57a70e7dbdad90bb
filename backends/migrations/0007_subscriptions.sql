-- The app's push subscriptions, so that the worker knows the events of a new one without a setting and a restart. An
-- ended one stays: its events may still be queued. The callback is left out, for it holds the webhook's secret path.

create table strava_subscriptions (
    subscription_id integer primary key,
    remembered_at text not null,
    ended_at text                       -- when it was deleted or replaced; null for the current one
) strict;
