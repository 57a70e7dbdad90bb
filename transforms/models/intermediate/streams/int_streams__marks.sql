{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'kind', 'mark_index'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_streams() }}",
        incremental_predicates=merged_where("is_changed_in_streams('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['activity_id'],
    )
}}

with inputs as (
    select * from {{ ref('int_streams__inputs') }}
    where {{ is_changed_in_streams() }}
),

-- a distance never falls
points as (
    select
        samples.activity_id,
        samples.place,
        samples.second,
        samples.hold_s,
        samples.is_moving,
        samples.heartrate_bpm,
        round(samples.altitude_m * 1000) as altitude_mm,
        inputs.sport_group in ('run', 'walk') as is_on_foot,
        max(samples.distance_m) over (
            partition by samples.activity_id
            order by samples.second, samples.place
            rows between unbounded preceding and current row
        ) as distance_m
    from {{ ref('int_streams__samples') }} as samples
    inner join inputs on samples.activity_id = inputs.activity_id
    where
        samples.distance_m between 0 and 10000000
        and {{ is_changed_in_streams('samples.activity_id') }}
),

smoothed as (
    select
        *,
        sum(altitude_mm) over around / nullif(count(altitude_mm) over around, 0) / 1000 as height_m
    from points
    where is_on_foot
    window around as (partition by activity_id order by distance_m range between 25 preceding and 25 following)
),

sloped as (
    select
        activity_id,
        place,
        (last_value(height_m) over stretch - first_value(height_m) over stretch)
        / nullif(last_value(distance_m) over stretch - first_value(distance_m) over stretch, 0) as grade
    from smoothed
    window stretch as (partition by activity_id order by distance_m range between 100 preceding and 100 following)
),

followed as (
    select
        *,
        row_number() over seconds as number,
        lead(second) over seconds as next_second,
        lead(distance_m) over seconds as next_distance_m,
        lead(altitude_mm) over seconds as next_altitude_mm,
        max(distance_m) over (partition by activity_id) as total_m
    from points
    window seconds as (partition by activity_id order by second, place)
),

-- what is done until the next point
done as (
    select
        followed.*,
        coalesce(followed.next_second - followed.second, 0) as gap_s,
        coalesce(followed.next_distance_m - followed.distance_m, 0) as step_m,
        case when followed.is_moving then followed.hold_s else 0 end as moved_s,
        case
            when followed.is_moving and followed.is_on_foot and followed.next_second > followed.second
                then
                    (followed.next_distance_m - followed.distance_m) * {{ grade_factor('sloped.grade') }}
                    * followed.hold_s / (followed.next_second - followed.second)
            else 0
        end as flat_m,
        case
            when followed.is_moving and followed.heartrate_bpm between 30 and 220 then followed.heartrate_bpm * followed.hold_s
            else 0
        end as beats,
        case when followed.is_moving and followed.heartrate_bpm between 30 and 220 then followed.hold_s else 0 end as beats_s
    from followed
    left join sloped on followed.activity_id = sloped.activity_id and followed.place = sloped.place
),

added as (
    select
        {%- for course in courses() %}
        sum({{ course }}) over until - {{ course }} as {{ course }}_before,
        {%- endfor %}
        *
    from done
    window until as (partition by activity_id order by number rows between unbounded preceding and current row)
),

-- where a kilometre, a mile, half of the way, the first or the last point is
passed as (
    select *
    from added
    where
        number = 1
        or next_second is null
        or floor(distance_m / 1000) < floor(next_distance_m / 1000)
        or floor(distance_m / 1609.344) < floor(next_distance_m / 1609.344)
        or (distance_m < total_m / 2 and total_m / 2 <= next_distance_m)
),

kinds as (
    select
        passed.*,
        kind  -- noqa: RF02
    from passed
    {{ each("['start', 'metric', 'imperial', 'half', 'end']", 'kind') }}
),

ranged as (
    select
        *,
        case kind
            when 'metric' then cast(floor(distance_m / 1000) as int64) + 1
            when 'imperial' then cast(floor(distance_m / 1609.344) as int64) + 1
            else 0
        end as first_index,
        case kind
            when 'metric' then cast(floor(next_distance_m / 1000) as int64)
            when 'imperial' then cast(floor(next_distance_m / 1609.344) as int64)
            when 'start' then case when number = 1 then 0 else -1 end
            when 'half' then case when distance_m < total_m / 2 and total_m / 2 <= next_distance_m then 0 else -1 end
            when 'end' then case when next_second is null then 0 else -1 end
        end as last_index
    from kinds
),

numbered as (
    select
        ranged.*,
        mark_index  -- noqa: RF02
    from ranged
    {{ each(whole_numbers('ranged.first_index', 'ranged.last_index'), 'mark_index') }}
    where ranged.last_index is not null
),

placed as (
    select
        *,
        case kind
            when 'metric' then mark_index * 1000
            when 'imperial' then mark_index * 1609.344
            when 'half' then total_m / 2
            else distance_m
        end as mark_m
    from numbered
),

shared as (
    select
        *,
        case when kind in ('start', 'end') then 0 else (mark_m - distance_m) / step_m end as share
    from placed
),

final as (
    select
        activity_id,
        kind,
        cast(mark_index as int64) as mark_index,
        {{ as_double('mark_m') }} as distance_m,
        second + share * gap_s as elapsed_s,
        {%- for course in courses() %}
        {{ course }}_before + share * {{ course }} as {{ course }},
        {%- endfor %}
        (altitude_mm + share * (coalesce(next_altitude_mm, altitude_mm) - altitude_mm)) / 1000 as altitude_m
    from shared
)

select * from final
