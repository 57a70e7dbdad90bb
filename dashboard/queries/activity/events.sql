-- What happened to an activity, in its order: what Strava told, when it was on a chart, and how it stands here now.
-- Parameters: athlete; activity.
select
    events.event_id,
    events.event_kind,
    events.happened_at,
    events.received_at,
    events.finished_at,
    events.outcome,
    events.delivery_count,
    events.is_renamed,
    events.new_sport_type,
    events.is_made_private,
    latencies.save_to_raw_s,
    latencies.save_to_chart_s,
    coalesce(latencies.is_on_chart, false) as is_on_chart
from mart.activity_event as events
left join mart.event_latency as latencies
    on
        events.event_id = latencies.event_id
        and events.athlete_id = latencies.athlete_id
where
    events.athlete_id = ?
    and events.activity_id = ?
order by events.happened_at, events.event_kind
