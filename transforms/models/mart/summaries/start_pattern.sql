{% set definition_version = 1 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'date_day', 'start_hour', 'excluded_reason'],
        on_schema_change='fail',
        pre_hook="{{ forgotten_where(is_touched_day()) }}",
        cluster_by=['athlete_id', 'sport_group', 'date_day'],
        meta={'definition_version': definition_version},
        tags=['measures_only'],
    )
}}

with activities as (
    select * from {{ ref('fct_activities') }}
    where
        {{ day_has_come() }}
        and {{ is_touched_day('start_date_local') }}
),

judged as (
    select
        *,
        case
            when is_manual then 'manual'
            when has_hidden_start_time then 'hidden_start_time'
            else 'none'
        end as excluded_reason
    from activities
),

timed as (
    select
        athlete_id,
        sport_group,
        start_date_local as date_day,
        case when excluded_reason = 'none' then extract(hour from start_at_local) end as start_hour,
        excluded_reason,
        moving_time_s
    from judged
),

final as (
    select
        athlete_id,
        sport_group,
        date_day,
        {{ date_number('isodow', 'date_day') }} as day_of_week,
        start_hour,
        excluded_reason,
        count(*) as activity_count,
        cast(coalesce(sum(moving_time_s), 0) as int64) as moving_time_s,
        cast({{ definition_version }} as int64) as definition_version
    from timed
    group by athlete_id, sport_group, date_day, start_hour, excluded_reason
)

select * from final
