-- The events that tell, of each athlete, the newest save and the delivery that ended last; and the newest row of all.
select event_id
from (
    select
        event_id,
        max(finished_at) as newest
    from strava_events
    where athlete_id is not null
    group by athlete_id
    union all
    select
        event_id,
        max(event_time) as newest
    from strava_events
    where athlete_id is not null
    group by athlete_id
    union all
    select
        event_id,
        max(ingested_at) as newest
    from strava_events
)
where event_id is not null;
