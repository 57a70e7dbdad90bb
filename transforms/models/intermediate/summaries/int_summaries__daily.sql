{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'date_day'],
        on_schema_change='fail',
        pre_hook="{{ forgotten_where(is_touched_day()) }}",
        post_hook="{{ forget_days_without_activities() }}",
        cluster_by=['athlete_id', 'sport_group'],
        tags=['measures_only'],
    )
}}

with activities as (
    select * from {{ ref('fct_activities') }}
    where {{ day_has_come() }}
),

newest as (
    {{ newest_offsets('activities') }}
),

spans as (
    select
        athlete_id,
        min(start_date_local) as first_date,
        max(start_date_local) as last_activity_date
    from activities
    group by athlete_id
),

-- up to the day it is now where the athlete last was; a traveller may have seen the next one already
athletes as (
    select
        spans.athlete_id,
        spans.first_date,
        greatest(spans.last_activity_date, {{ local_date(as_of(), 'newest.utc_offset_s') }}) as last_date
    from spans
    inner join newest on spans.athlete_id = newest.athlete_id
),

sport_groups as (
    select distinct
        athlete_id,
        sport_group
    from activities
),

days as (
    select
        athletes.athlete_id,
        sport_groups.sport_group,
        date_day  -- noqa: RF02
    from athletes
    inner join sport_groups on athletes.athlete_id = sport_groups.athlete_id
    {{ each(dates_between('athletes.first_date', 'athletes.last_date'), 'date_day') }}
),

wanted as (
    select * from days
    {%- if is_script() and is_incremental() %}
    where
        {{ is_touched_day() }}
        or (athlete_id, sport_group, date_day) not in (select athlete_id, sport_group, date_day from {{ this }})
    {%- endif %}
),

sums as (
    select
        athlete_id,
        sport_group,
        start_date_local,
        count(*) as activity_count,
        {{ exact_sum('distance_m') }} as distance_m,
        sum(moving_time_s) as moving_time_s,
        sum(elapsed_time_s) as elapsed_time_s,
        {{ exact_sum('elevation_gain_m') }} as elevation_gain_m,
        {{ exact_sum('energy_kj') }} as energy_kj,
        {{ exact_sum('calories_kcal') }} as calories_kcal,
        {{ exact_sum('load') }} as load,
        sum(case when {{ has_speed() }} then 1 else 0 end) as speed_activity_count,
        {{ exact_sum('case when ' ~ has_speed() ~ ' then distance_m end') }} as speed_distance_m,
        sum(case when {{ has_speed() }} then moving_time_s end) as speed_time_s
    from activities
    {%- if is_script() and is_incremental() %}
    where (athlete_id, start_date_local) in (select athlete_id, date_day from wanted)
    {%- endif %}
    group by athlete_id, sport_group, start_date_local
),

final as (
    select
        wanted.athlete_id,
        wanted.sport_group,
        wanted.date_day,
        coalesce(sums.activity_count, 0) as activity_count,
        coalesce(sums.distance_m, 0) as distance_m,
        cast(coalesce(sums.moving_time_s, 0) as int64) as moving_time_s,
        cast(coalesce(sums.elapsed_time_s, 0) as int64) as elapsed_time_s,
        coalesce(sums.elevation_gain_m, 0) as elevation_gain_m,
        coalesce(sums.energy_kj, 0) as energy_kj,
        coalesce(sums.calories_kcal, 0) as calories_kcal,
        coalesce(sums.load, 0) as load,
        cast(coalesce(sums.speed_activity_count, 0) as int64) as speed_activity_count,
        coalesce(sums.speed_distance_m, 0) as speed_distance_m,
        cast(coalesce(sums.speed_time_s, 0) as int64) as speed_time_s
    from wanted
    left join sums
        on
            wanted.athlete_id = sums.athlete_id
            and wanted.sport_group = sums.sport_group
            and wanted.date_day = sums.start_date_local
)

select * from final
