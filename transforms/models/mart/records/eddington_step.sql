{% set definition_version = 1 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'unit', 'period', 'counts_virtual', 'n'],
        on_schema_change='fail',
        pre_hook="{{ forget_lives() }}",
        cluster_by=['athlete_id', 'sport_group'],
        meta={'definition_version': definition_version},
    )
}}

with lives as (
    select
        *,
        -- one number for the five, by which the rows of a life are quickly found
        row_number() over (order by athlete_id, sport_group, unit, period, counts_virtual) as life_id
    from {{ ref('int_records__lives') }}
    where {{ is_wanted_life() }}
),

days as (
    select
        lives.life_id,
        every_day.date_day,
        -- of a whole life its years, of a year its months
        case
            when every_day.period = 'all' then {{ period_start('year', 'every_day.date_day') }}
            else {{ period_start('month', 'every_day.date_day') }}
        end as stretch,
        -- nobody's number is near 500, and a typing error does not make thousands of steps
        least(every_day.distance, 500) as distance
    from {{ ref('int_records__eddington_days') }} as every_day
    inner join lives
        on
            every_day.athlete_id = lives.athlete_id
            and every_day.sport_group = lives.sport_group
            and every_day.unit = lives.unit
            and every_day.period = lives.period
            and every_day.counts_virtual = lives.counts_virtual
    where every_day.distance > 0
),

-- how many days had each distance, and by summing up from the longest, at least that
of_distance as (
    select
        life_id,
        distance,
        count(*) as day_count
    from days
    group by life_id, distance
),

steps as (
    select
        lives.*,
        n  -- noqa: RF02,RF03
    from lives
    {{ each(whole_numbers(1, 'least(lives.longest_day, 500)'), 'n') }}
),

counted as (
    select
        steps.*,
        sum(coalesce(of_distance.day_count, 0)) over (
            partition by steps.life_id order by steps.n desc rows between unbounded preceding and current row
        ) as days_at_least
    from steps
    left join of_distance on steps.life_id = of_distance.life_id and steps.n = of_distance.distance
),

-- what was reached before the first day that changed, stays so
known as (
    {%- if is_incremental() %}
    select
        lives.life_id,
        kept.n,
        kept.reached_on
    from {{ this }} as kept
    inner join lives
        on
            kept.athlete_id = lives.athlete_id
            and kept.sport_group = lives.sport_group
            and kept.unit = lives.unit
            and kept.period = lives.period
            and kept.counts_virtual = lives.counts_virtual
    inner join (
        select
            athlete_id,
            sport_group,
            min(date_day) as first_day
        from {{ ref('int_records__changed_days') }}
        group by athlete_id, sport_group
    ) as changed on kept.athlete_id = changed.athlete_id and kept.sport_group = changed.sport_group
    where kept.reached_on < changed.first_day
    {%- else %}
    -- nothing
    select
        life_id,
        longest_day as n,
        cast(null as date) as reached_on
    from lives
    where longest_day < 0
    {%- endif %}
),

-- The n-th day of at least n units is that on which n was reached. It is looked for within the stretch by whose end there were so
-- many: that takes a row a stretch and step, instead of one a day and step.
reached as (
    select
        counted.life_id,
        counted.n
    from counted
    left join known on counted.life_id = known.life_id and counted.n = known.n
    where
        counted.days_at_least >= counted.n
        and known.n is null
),

-- steps are reached one after another
numbers as (
    select
        life_id,
        min(n) as first_n,
        max(n) as eddington_number
    from reached
    group by life_id
),

of_stretch as (
    select
        days.life_id,
        days.stretch,
        least(days.distance, numbers.eddington_number) as n,
        count(*) as day_count
    from days
    inner join numbers on days.life_id = numbers.life_id and days.distance >= numbers.first_n
    group by days.life_id, days.stretch, least(days.distance, numbers.eddington_number)
),

stretches as (
    select distinct
        life_id,
        stretch
    from of_stretch
),

in_stretch as (
    select
        stretches.life_id,
        stretches.stretch,
        reached.n,
        sum(coalesce(of_stretch.day_count, 0)) over (
            partition by stretches.life_id, stretches.stretch
            order by reached.n desc
            rows between unbounded preceding and current row
        ) as days_in_stretch
    from stretches
    inner join reached on stretches.life_id = reached.life_id
    left join of_stretch
        on
            stretches.life_id = of_stretch.life_id
            and stretches.stretch = of_stretch.stretch
            and reached.n = of_stretch.n
),

by_stretch_end as (
    select
        *,
        sum(days_in_stretch) over (
            partition by life_id, n order by stretch rows between unbounded preceding and current row
        ) as days_so_far
    from in_stretch
),

ranked as (
    select
        by_stretch_end.life_id,
        by_stretch_end.n,
        by_stretch_end.n - (by_stretch_end.days_so_far - by_stretch_end.days_in_stretch) as wanted,
        days.date_day,
        row_number() over (partition by by_stretch_end.life_id, by_stretch_end.n order by days.date_day) as place
    from by_stretch_end
    inner join days
        on
            by_stretch_end.life_id = days.life_id
            and by_stretch_end.stretch = days.stretch
            and by_stretch_end.n <= days.distance
    where
        by_stretch_end.days_so_far >= by_stretch_end.n
        and by_stretch_end.days_so_far - by_stretch_end.days_in_stretch < by_stretch_end.n
),

dates as (
    select
        life_id,
        n,
        date_day
    from ranked
    where place = wanted
    union all
    select
        life_id,
        n,
        reached_on as date_day
    from known
),

final as (
    select
        counted.athlete_id,
        counted.sport_group,
        counted.unit,
        counted.period,
        counted.counts_virtual,
        counted.n,
        cast(counted.days_at_least as int64) as days_at_least,
        cast(greatest(counted.n - counted.days_at_least, 0) as int64) as days_needed,
        dates.date_day as reached_on,
        cast({{ definition_version }} as int64) as definition_version
    from counted
    left join dates on counted.life_id = dates.life_id and counted.n = dates.n
)

select * from final
