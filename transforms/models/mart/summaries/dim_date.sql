{{ config(cluster_by=['date_day']) }}

with calendar as (
    select
        min(date_day) as first_date,
        max(date_day) as last_date
    from {{ ref('int_summaries__daily') }}
),

dates as (
    select date_day  -- noqa: RF02
    from calendar
    {{ each(dates_between('first_date', 'last_date'), 'date_day') }}
),

final as (
    select
        date_day,
        {{ date_number('isodow', 'date_day') }} as day_of_week,
        {{ date_number('day', 'date_day') }} as day_of_month,
        {{ date_number('doy', 'date_day') }} as day_of_year,
        {{ date_number('isodow', 'date_day') }} >= 6 as is_weekend,
        {{ date_number('isoyear', 'date_day') }} as iso_year,
        {{ date_number('isoweek', 'date_day') }} as iso_week,
        {{ period_start('week', 'date_day') }} as week_start_date,
        {{ date_number('month', 'date_day') }} as month,
        {{ period_start('month', 'date_day') }} as month_start_date,
        {{ date_number('quarter', 'date_day') }} as quarter,
        {{ period_start('quarter', 'date_day') }} as quarter_start_date,
        {{ date_number('year', 'date_day') }} as year,
        {{ period_start('year', 'date_day') }} as year_start_date
    from dates
)

select * from final
