{% set definition_version = 1 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'date_day'],
        on_schema_change='fail',
        pre_hook="{{ forget_rows_of_days('kept.date_day >= changed.first_day - 1') }}",
        cluster_by=['athlete_id', 'sport_group', 'date_day'],
        meta={'definition_version': definition_version},
    )
}}

{% set forecast_days = 14 %}

with every_day as (
    select * from {{ ref('int_summaries__daily_by_group') }}
),

spans as (
    {{ missing_days('every_day') }}
),

-- what is missing, the days before it that its blocks rest on, and the days to come
days as (
    select
        spans.athlete_id,
        spans.sport_group,
        spans.from_day,
        every_day.date_day,
        every_day.load,
        false as is_forecast,
        {{ days_between('spans.first_day', 'every_day.date_day') }} as day_number
    from every_day
    inner join spans
        on
            every_day.athlete_id = spans.athlete_id
            and every_day.sport_group = spans.sport_group
            and every_day.date_day >= {{ days_later('spans.from_day', -(blocks_before() + 2) * block_days()) }}
    union all
    select
        spans.athlete_id,
        spans.sport_group,
        spans.from_day,
        date_day,  -- noqa: RF02
        0 as load,
        true as is_forecast,
        {{ days_between('spans.first_day', 'date_day') }} as day_number
    from spans
    {{ each(dates_between(days_later('spans.to_day', 1), days_later('spans.to_day', forecast_days)), 'date_day') }}
    where spans.to_day is not null
),

placed as (
    select
        *,
        {{ whole_quotient('day_number', block_days()) }} as block,
        mod(day_number, {{ block_days() }}) as place
    from days
),

weighed as (
    select
        athlete_id,
        sport_group,
        from_day,
        date_day,
        load,
        is_forecast,
        day_number,
        block,
        {%- for average in averages() %}
        {{ weighed(average) }} as {{ average }}_of_block,
        {%- endfor %}
        place
    from placed
),

blocks as (
    select
        athlete_id,
        sport_group,
        {%- for average in averages() %}
        max({{ average }}_of_block) as {{ average }}_of_block,
        {%- endfor %}
        block
    from weighed
    group by athlete_id, sport_group, block
),

carried as (
    select
        athlete_id,
        sport_group,
        {%- for average in averages() %}
        {{ carried(average) }} as {{ average }}_before,
        {%- endfor %}
        block
    from blocks
    window in_order as (partition by athlete_id, sport_group order by block)
),

averaged as (
    select
        weighed.athlete_id,
        weighed.sport_group,
        weighed.date_day,
        weighed.from_day,
        weighed.load,
        weighed.is_forecast,
        {%- for average in averages() %}
        {{ averaged(average) }} as {{ average }},
        {%- endfor %}
        weighed.day_number
    from weighed
    inner join carried
        on
            weighed.athlete_id = carried.athlete_id
            and weighed.sport_group = carried.sport_group
            and weighed.block = carried.block
),

windows as (
    select
        *,
        coalesce(lag(fitness - fatigue) over in_order, 0) as form,
        coalesce(lag(linear_fitness - linear_fatigue) over in_order, 0) as linear_form,
        fitness - lag(fitness, 7) over in_order as ramp,
        {{ exact_sum('load', 'over last_7_days') }} as load_7_days,
        {{ exact_sum('load', 'over three_weeks_before') }} as load_3_weeks_before,
        {%- for number in range(1, 7) %}
        lag(load, {{ number }}) over in_order as load_{{ number }},
        {%- endfor %}
        min(load) over last_7_days <> max(load) over last_7_days as is_uneven
    from averaged
    window
        in_order as (partition by athlete_id, sport_group order by day_number),
        last_7_days as (
            partition by athlete_id, sport_group
            order by day_number
            rows between 6 preceding and current row
        ),
        three_weeks_before as (
            partition by athlete_id, sport_group
            order by day_number
            rows between 27 preceding and 7 preceding
        )
),

spread as (
    select
        *,
        case
            when day_number >= 6 and is_uneven
                then {{ deviation(['load', 'load_1', 'load_2', 'load_3', 'load_4', 'load_5', 'load_6'], 'load_7_days / 7') }}
        end as load_deviation
    from windows
),

final as (
    select
        athlete_id,
        sport_group,
        date_day,
        is_forecast,
        {{ as_double('load') }} as load,
        fitness,
        fatigue,
        form,
        fitness - fatigue as form_after,
        linear_fitness,
        linear_fatigue,
        linear_form,
        linear_fitness - linear_fatigue as linear_form_after,
        day_number < 42 as is_warming_up,
        ramp,
        load_7_days,
        load_7_days / 7 / load_deviation as monotony,
        load_7_days * (load_7_days / 7 / load_deviation) as strain,
        load_3_weeks_before,
        case
            when day_number >= 27 and load_3_weeks_before > 0
                then load_7_days / (load_3_weeks_before / 3)
        end as load_ratio,
        cast({{ definition_version }} as int64) as definition_version
    from spread
    where date_day >= from_day
)

select * from final
