{% set definition_version = 1 %}
{{ config(cluster_by=['athlete_id', 'sport_group'], meta={'definition_version': definition_version}) }}

with todays as (
    select
        athlete_id,
        max(date_day) as today
    from {{ ref('int_summaries__daily') }}
    group by athlete_id
),

curves as (
    select
        curves.*,
        {{ date_number('year', 'curves.start_date_local') }} as year,
        {{ days_between('curves.start_date_local', 'todays.today') }} as days_ago
    from {{ ref('power_curve_activity') }} as curves
    inner join todays on curves.athlete_id = todays.athlete_id
    where
        not curves.is_assisted
        and curves.start_date_local <= todays.today
),

of_period as (
    select
        *,
        cast(year as {{ dbt.type_string() }}) as period
    from curves
    union all
    select
        *,
        'all' as period
    from curves
    {%- for days in [90, 42] %}
    union all
    select
        *,
        'last_{{ days }}_days' as period
    from curves
    where days_ago < {{ days }}
    {%- endfor %}
),

ranked as (
    select
        *,
        row_number() over (
            partition by athlete_id, sport_group, period, duration_s
            order by power_w desc, start_date_local asc, activity_id asc
        ) as place
    from of_period
),

final as (
    select
        athlete_id,
        sport_group,
        period,
        duration_s,
        power_w,
        power_w / nullif(weight_kg, 0) as w_per_kg,
        activity_id,
        start_date_local,
        cast({{ definition_version }} as int64) as definition_version
    from ranked
    where place = 1
)

select * from final
