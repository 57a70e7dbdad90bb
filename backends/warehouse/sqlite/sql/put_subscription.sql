insert into strava_subscriptions (subscription_id, remembered_at, ended_at)
values (:subscription_id, :now, null)
on conflict (subscription_id) do update set ended_at = null;
