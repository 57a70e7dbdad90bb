-- What each year of a sport came to, the newest first.
-- Parameters: athlete; sport group or `all`.
select
    year,
    is_running,
    first_day,
    last_day,
    day_count,
    active_day_count,
    rest_day_count,
    activity_count,
    distance_m,
    moving_time_s,
    elevation_gain_m,
    calories_kcal,
    load,
    longest_streak_days,
    longest_streak_start_date,
    longest_streak_end_date,
    longest_distance_m,
    longest_distance_activity_id,
    longest_time_s,
    longest_time_activity_id,
    most_elevation_m,
    most_elevation_activity_id,
    biggest_day_distance_m,
    biggest_day_distance_date,
    biggest_day_time_s,
    biggest_day_time_date,
    biggest_week_distance_m,
    biggest_week_distance_date,
    biggest_week_time_s,
    biggest_week_time_date,
    night_count,
    morning_count,
    afternoon_count,
    evening_count,
    untimed_count,
    record_count,
    first_count,
    commute_distance_m,
    commute_co2_kg
from mart.year_review
where
    athlete_id = ?
    and sport_group = ?
order by year desc
