with days as (
    select * from {{ ref('int_gear__days') }}
),

told as (
    select * from {{ ref('stg_strava__gear') }}
),

own as (
    select distinct
        athlete_id,
        gear_number,
        gear_name,
        cost,
        is_retired,
        has_rule
    from {{ ref('stg_athlete_file__gear') }}
),

-- the newest name
used as (
    select
        athlete_id,
        gear_id,
        gear_name
    from (
        select
            athlete_id,
            gear_id,
            gear_name,
            row_number() over (partition by athlete_id, gear_id order by date_day desc) as place
        from days
        where gear_name is not null
    ) as named
    where place = 1
),

ids as (
    select distinct
        athlete_id,
        gear_id
    from (
        select
            athlete_id,
            gear_id
        from days
        where gear_id not like 'own-%'
        union all
        select
            athlete_id,
            gear_id
        from told
    ) as known
),

of_strava as (
    select
        ids.athlete_id,
        ids.gear_id,
        coalesce(told.name, told.nickname, used.gear_name, ids.gear_id) as gear_name,
        told.nickname,
        case substr(ids.gear_id, 1, 1) when 'b' then 'bike' when 'g' then 'shoes' else 'other' end as gear_kind,
        coalesce(told.is_retired, false) as is_retired,
        coalesce(told.is_primary, false) as is_primary,
        told.distance_m as strava_distance_m,
        told.notification_distance_m,
        told.observed_at as strava_observed_at
    from ids
    left join told
        on
            ids.athlete_id = told.athlete_id
            and ids.gear_id = told.gear_id
    left join used
        on
            ids.athlete_id = used.athlete_id
            and ids.gear_id = used.gear_id
),

-- what the file says of a piece that Strava knows, by its name there
described as (
    select
        of_strava.*,
        own.gear_number,
        own.cost,
        own.is_retired as is_retired_by_file
    from of_strava
    left join own
        on
            of_strava.athlete_id = own.athlete_id
            and not own.has_rule
            and lower(own.gear_name) in (lower(of_strava.gear_name), lower(of_strava.nickname))
),

united as (
    select
        athlete_id,
        gear_id,
        gear_name,
        gear_kind,
        is_retired or coalesce(is_retired_by_file, false) as is_retired,
        is_primary,
        gear_number,
        cost,
        strava_distance_m,
        notification_distance_m,
        strava_observed_at
    from described
    union all
    select
        own.athlete_id,
        concat('own-', cast(own.gear_number as {{ dbt.type_string() }})) as gear_id,
        own.gear_name,
        'own' as gear_kind,
        own.is_retired,
        false as is_primary,
        own.gear_number,
        own.cost,
        cast(null as {{ 'float64' if target.type == 'bigquery' else 'double' }}) as strava_distance_m,
        cast(null as {{ 'float64' if target.type == 'bigquery' else 'double' }}) as notification_distance_m,
        cast(null as timestamp) as strava_observed_at
    from own
    left join described
        on
            own.athlete_id = described.athlete_id
            and own.gear_number = described.gear_number
    where described.gear_id is null
),

-- two entries of the file may name one piece, by its name and its nickname: the first counts
final as (
    select * {{ except(['place']) }}
    from (
        select
            *,
            row_number() over (partition by athlete_id, gear_id order by gear_number nulls last) as place
        from united
    ) as placed
    where place = 1
)

select * from final
