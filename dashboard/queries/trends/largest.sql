-- The ten activities with the most of a measure.
-- Parameters: athlete; first and last day; sport group or `all`, twice; name of the measure, three times.
select
    activity_id,
    name,
    start_date_local
from mart.fct_activities
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
order by
    case
        when ? = 'distance_m' then coalesce(distance_m, 0)
        when ? = 'moving_time_s' then coalesce(moving_time_s, 0)
        when ? = 'elevation_gain_m' then coalesce(elevation_gain_m, 0)
        else 0
    end desc,
    start_date_local desc,
    activity_id desc
limit 10
