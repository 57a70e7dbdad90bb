-- What each piece of gear in use needs, what is most urgent first.
-- Parameter: athlete.
select
    services.gear_id,
    pieces.gear_name,
    services.service_number,
    services.service,
    services.every_m,
    services.every_s,
    services.every_days,
    services.last_done_on,
    services.since_day,
    services.distance_m,
    services.moving_time_s,
    services.day_count,
    services.share_used,
    services.is_due
from mart.gear_service as services
inner join mart.gear_usage as pieces
    on
        services.athlete_id = pieces.athlete_id
        and services.gear_id = pieces.gear_id
where
    services.athlete_id = ?
    and not pieces.is_retired
order by services.share_used desc, pieces.gear_name, services.service_number
