-- The explorer tiles (zoom 14) that were visited for the first time, by year.
-- Parameters: athlete; sport group or `all`, twice.
select
    extract(year from firsts.first_day) as year,
    count(*) as tile_count
from (
    select
        x,
        y,
        min(start_date_local) as first_day
    from mart.tile_visit
    where
        athlete_id = ?
        and z = 14
        and (sport_group = ? or ? = 'all')
    group by x, y
) as firsts
where firsts.first_day is not null
group by extract(year from firsts.first_day)
order by extract(year from firsts.first_day)
