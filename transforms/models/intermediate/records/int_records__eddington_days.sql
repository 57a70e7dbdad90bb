{{ config(materialized='table' if target.type == 'bigquery' else 'view', cluster_by=['athlete_id', 'sport_group']) }}

with days as (
    select
        *,
        {{ date_number('year', 'date_day') }} as year,
        max(case when real_distance_m is distinct from distance_m then 1 else 0 end) over (
            partition by athlete_id, sport_group
        ) as has_virtual
    from {{ portable(ref('int_records__daily')) }}
),

-- without those on a screen only where there are any: else the numbers are the same
counted as (
    {%- for column, counts_virtual in {'distance_m': 'true', 'real_distance_m': 'false'}.items() %}
    select
        athlete_id,
        sport_group,
        date_day,
        year,
        {{ counts_virtual }} as counts_virtual,
        -- whole numbers divide the same on every engine; a millimetre is below what Strava tells
        cast(round(least(coalesce({{ column }}, 0), 1e9) * 1000) as int64) as distance_mm
    from days
    {%- if not loop.last %}
    union all
    {%- else %}
    where has_virtual = 1
    {%- endif %}
    {%- endfor %}
),

units as (
    {%- for unit, length_mm in {'km': 1000000, 'mi': 1609344}.items() %}
    select
        *,
        '{{ unit }}' as unit,
        {{ whole_quotient('distance_mm', length_mm) }} as distance
    from counted
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
        counts_virtual,
        date_day,
        greatest(distance, 0) as distance
    from periods
)

select * from final
