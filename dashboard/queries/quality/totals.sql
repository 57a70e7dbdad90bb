-- Strava's own totals beside ours, the year so far first.
-- Parameter: athlete.
select
    sport_group,
    scope,
    calendar_year,
    told_at,
    strava_activity_count,
    strava_distance_m,
    strava_moving_time_s,
    strava_elevation_gain_m,
    activity_count,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    difference_count,
    difference_m,
    difference_moving_time_s,
    difference_elevation_gain_m,
    hidden_count,
    hidden_distance_m,
    file_only_count,
    file_only_distance_m,
    archive_only_count,
    archive_only_distance_m,
    other_sport_type_count,
    other_sport_type_distance_m,
    unexplained_count,
    unexplained_distance_m
from mart.strava_total
where athlete_id = ?
order by scope desc, sport_group
