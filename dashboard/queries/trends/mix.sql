-- Sums per kind of sport.
-- Parameters: athlete; first and last day; sport group or `all`, twice.
select
    sport_type,
    sport_group,
    count(*) as activity_count,
    coalesce(sum(cast(distance_m as decimal(35, 6))), 0) as distance_m,
    coalesce(sum(moving_time_s), 0) as moving_time_s,
    coalesce(sum(cast(elevation_gain_m as decimal(35, 6))), 0) as elevation_gain_m
from mart.fct_activities
where
    athlete_id = ?
    and start_date_local between cast(? as date) and cast(? as date)
    and (sport_group = ? or ? = 'all')
group by sport_type, sport_group
order by sport_group, sport_type
