-- Gear that living activities name, and that is unknown or was last asked for too long ago.
select named.gear_id
from (
    select distinct json_value(payload, '$.gear_id') as gear_id
    from strava_activities
    where athlete_id = @athlete_id and not is_deleted
) as named
left join strava_gear as gear on named.gear_id = gear.gear_id
where
    named.gear_id is not null
    and case
        when gear.gear_id is null then true
        when gear.not_found_at is not null then gear.not_found_at < @not_found_before
        else gear.observed_at < @observed_before
    end
order by named.gear_id
