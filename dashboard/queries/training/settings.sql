-- What the athlete's loads are reckoned with, and since when; numbers alone.
-- Parameter: athlete.
select
    setting,
    sport_group,
    valid_from,
    next_valid_from,
    value,
    source,
    is_backdated
from mart.athlete_setting
where
    athlete_id = ?
    and value is not null
    and setting <> 'birth_year'
order by setting, sport_group, valid_from
