-- What each year of a sport came to, the newest first.
-- Parameters: athlete; sport group or `all`.
select *
from mart.year_review
where
    athlete_id = ?
    and sport_group = ?
order by year desc
