-- All rows of events that were settled before a moment. What is parked or deferred still needs somebody; and those events stay that
-- tell, of each athlete, the newest save and the delivery that ended last, and the newest of all.
delete from strava_events
where
    ingested_at < @settled_before
    and event_id in (
        select event_id
        from (
            select
                event_id,
                athlete_id,
                outcome not in ('parked', 'deferred') and greatest(ingested_at, finished_at) < @settled_before as is_settled,
                row_number() over (order by ingested_at desc) = 1 as is_newest,
                row_number() over (partition by event_id order by ingested_at desc) = 1 as is_newest_of_event,
                row_number() over (partition by athlete_id order by finished_at desc) = 1 as ended_last,
                row_number() over (partition by athlete_id order by event_time desc) = 1 as was_saved_last
            from strava_events
        )
        group by event_id
        having
            logical_or(is_newest_of_event and is_settled)
            and not logical_or(is_newest or (athlete_id is not null and (ended_last or was_saved_last)))
    )
