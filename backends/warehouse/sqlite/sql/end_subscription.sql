update strava_subscriptions set ended_at = :now
where ended_at is null and subscription_id is not :subscription_id;
