{% set definition_version = 2 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'date_day'],
        on_schema_change='fail',
        pre_hook="{{ forget_rows_of_days('kept.date_day >= changed.first_day and kept.year <= year(changed.last_day) + 1') }}",
        cluster_by=['athlete_id', 'sport_group', 'date_day'],
        meta={'definition_version': definition_version},
    )
}}

{% set measures = ['activity_count', 'distance_m', 'moving_time_s', 'elevation_gain_m', 'load'] %}

with every_day as (
    select
        *,
        {{ date_number('year', 'date_day') }} as year
    from {{ ref('int_summaries__daily_by_group') }}
),

spans as (
    {{ missing_days('every_day') }}
),

-- what is missing, and the year before it
days as (
    select
        every_day.*,
        every_day.date_day >= spans.from_day as is_missing
    from every_day
    inner join spans
        on
            every_day.athlete_id = spans.athlete_id
            and every_day.sport_group = spans.sport_group
            and every_day.date_day between {{ period_start('year', same_day_last_year('spans.from_day')) }} and spans.to_day
),

last_28_days as (
    select * from {{ ref('trend_rolling_daily') }}
    where window_days = 28
),

cumulative as (
    select
        athlete_id,
        sport_group,
        date_day,
        year,
        is_missing,
        {%- for measure in measures %}
        {{ total(measure, 'over so_far') }} as {{ measure }},
        {%- endfor %}
        {{ date_number('doy', 'date_day') }} as day_of_year,
        {{ date_number('doy', period_end('year', period_start('year', 'date_day'))) }} as days_in_year,
        {{ same_day_last_year('date_day') }} as last_year_date
    from days
    window
        so_far as (
            partition by athlete_id, sport_group, year
            order by date_day
            rows between unbounded preceding and current row
        )
),

-- until the first activity there was nothing; a year that was over before it is no comparison
final as (
    select
        this_year.athlete_id,
        this_year.sport_group,
        this_year.date_day,
        this_year.year,
        this_year.day_of_year,
        this_year.days_in_year,
        {%- for measure in measures %}
        {%- set last_year %}case when year_end.year is not null then coalesce(same_day.{{ measure }}, 0) end{% endset %}
        this_year.{{ measure }},
        {{ last_year }} as last_year_{{ measure }},
        this_year.{{ measure }} - {{ last_year }} as difference_{{ measure }},
        year_end.{{ measure }} as last_year_total_{{ measure }},
        this_year.{{ measure }}
        + last_28_days.{{ measure }} / last_28_days.days_in_window * (this_year.days_in_year - this_year.day_of_year)
            as projected_{{ measure }},
        {%- endfor %}
        cast({{ definition_version }} as int64) as definition_version
    from cumulative as this_year
    left join cumulative as same_day
        on
            this_year.athlete_id = same_day.athlete_id
            and this_year.sport_group = same_day.sport_group
            and this_year.last_year_date = same_day.date_day
    left join cumulative as year_end
        on
            this_year.athlete_id = year_end.athlete_id
            and this_year.sport_group = year_end.sport_group
            and {{ period_end('year', period_start('year', 'this_year.last_year_date')) }} = year_end.date_day
    left join last_28_days
        on
            this_year.athlete_id = last_28_days.athlete_id
            and this_year.sport_group = last_28_days.sport_group
            and this_year.date_day = last_28_days.date_day
    where this_year.is_missing
)

select * from final
