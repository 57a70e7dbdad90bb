{{ config(materialized='view') }}

with readings as (
    select * from {{ portable(ref('stg_strava__pipeline_readings')) }}
),

limits as (
    {%- for limit in ['read_quarter', 'quarter', 'read_day', 'day'] %}
    select
        '{{ limit }}' as limit_name,
        {{ limit }}_limit as call_limit,
        {{ limit }}_used_count as used_count,
        {{ limit }}_resets_at as resets_at,
        read_at
    from readings
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        limit_name,
        call_limit,
        used_count,
        greatest(call_limit - used_count, 0) as left_count,
        resets_at,
        read_at
    from limits
    where call_limit is not null
)

select * from final
