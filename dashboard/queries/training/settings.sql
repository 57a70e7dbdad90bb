-- What the athlete's loads are reckoned with, and since when: numbers, and the order of methods.
-- Parameter: athlete.
select
    setting,
    sport_group,
    valid_from,
    next_valid_from,
    value,
    value_text,
    source,
    is_backdated
from mart.athlete_setting
where
    athlete_id = ?
    and (value is not null or setting = 'load_order')
    and setting <> 'birth_year'
order by setting, sport_group, valid_from
