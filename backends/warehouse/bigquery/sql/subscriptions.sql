select
    subscription_id,
    remembered_at,
    ended_at
from strava_subscriptions
order by ended_at is not null, ended_at desc, subscription_id
