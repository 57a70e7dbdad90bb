-- The countries of two years, and whether the year was the first in one.
-- Parameters: athlete; sport group or `all`; the one and the other year.
select
    year,
    country_code,
    activity_count,
    first_day,
    is_first_year
from mart.year_country
where
    athlete_id = ?
    and sport_group = ?
    and year in (?, ?)
order by year desc, activity_count desc, country_code
