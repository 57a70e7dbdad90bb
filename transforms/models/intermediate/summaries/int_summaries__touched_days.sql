{{ config(enabled=target.type != 'bigquery', tags=['measures_only']) }}

-- how the last build left them
{%- set activities_before = this.incorporate(path={'schema': 'mart', 'identifier': 'fct_activities'}) %}

with final as (
    select
        athlete_id,
        start_date_local as date_day
    from {{ ref('stg_strava__activities') }}
    where {{ is_changed_load() }}
    {%- if is_script() %}
    union all
    select
        athlete_id,
        start_date_local as date_day
    from {{ activities_before }}
    where {{ is_changed_load() }}
    {%- endif %}
)

select distinct * from final
where date_day is not null
