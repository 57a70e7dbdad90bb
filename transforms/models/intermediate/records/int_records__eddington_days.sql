{{ config(cluster_by=['athlete_id', 'sport_group']) }}

with days as (
    select
        athlete_id,
        sport_group,
        date_day,
        {{ date_number('year', 'date_day') }} as year,
        -- whole numbers divide the same on every engine; a millimetre is below what Strava tells
        cast(round(least(coalesce(distance_m, 0), 1e9) * 1000) as int64) as distance_mm
    from {{ ref('int_records__daily') }}
),

units as (
    {%- for unit, length_mm in {'km': 1000000, 'mi': 1609344}.items() %}
    select
        *,
        '{{ unit }}' as unit,
        {{ whole_quotient('distance_mm', length_mm) }} as distance
    from days
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

periods as (
    select
        *,
        'all' as period
    from units
    union all
    select
        *,
        cast(year as {{ dbt.type_string() }}) as period
    from units
),

final as (
    select
        athlete_id,
        sport_group,
        unit,
        period,
        -- one number for the four, by which the rows of a life are quickly found
        dense_rank() over (order by athlete_id, sport_group, unit, period) as life_id,
        date_day,
        greatest(distance, 0) as distance
    from periods
)

select * from final
