{{ config(materialized='ephemeral') }}

-- From each athlete's first activity to the day it is now where the athlete last was.
with activities as (
    select * from {{ ref('fct_activities') }} where start_date_local is not null
),

newest as (
    select
        athlete_id,
        utc_offset_s,
        row_number() over (partition by athlete_id order by start_at desc, activity_id desc) as place
    from activities
),

spans as (
    select
        athlete_id,
        min(start_date_local) as first_date,
        max(start_date_local) as last_activity_date
    from activities
    group by athlete_id
),

final as (
    select
        spans.athlete_id,
        spans.first_date,
        greatest(spans.last_activity_date, {{ local_date(as_of(), 'coalesce(newest.utc_offset_s, 0)') }}) as last_date
    from spans
    inner join newest on spans.athlete_id = newest.athlete_id
    where newest.place = 1
)

select * from final
