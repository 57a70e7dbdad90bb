{{
    config(
        materialized=built_in_parts(),
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forgotten_where(is_changed_load()) }}",
        cluster_by=['athlete_id', 'activity_id'],
        tags=['measures_only'],
    )
}}

{%- set by_heart = "'heart_rate_stream', 'heart_rate_stream_sex_unknown', 'heart_rate', 'heart_rate_sex_unknown'" %}

with inputs as (
    select
        *,
        case when load_order <> '{{ load_words() | join(',') }}' then concat(',', load_order, ',') end as between_commas
    from {{ ref('int_training__inputs') }}
),

placed as (
    select
        {%- for word in load_words() %}
        {{ load_place(word) }} as place_of_{{ word }},
        {%- endfor %}
        *
    from inputs
),

by_measurement as (
    select
        *,
        {{ load_by_power('normalised_power_w') }} as load_by_stream_power,
        {{ load_by_power() }} as load_by_power,
        {{ load_by_impulse() }} as load_by_stream_heartrate,
        {{ load_by_heartrate() }} as load_by_heartrate,
        {{ load_by_pace() }} as load_by_pace,
        {{ load_by_swim() }} as load_by_swim,
        {{ load_by_estimated_power() }} as load_by_estimated_power,
        {{ load_by_time() }} as load_by_time
    from placed
),

by_body as (
    select
        *,
        case
            when place_of_power < place_of_heart_rate
                then coalesce(load_by_stream_power, load_by_power, load_by_stream_heartrate, load_by_heartrate)
            else coalesce(load_by_stream_heartrate, load_by_heartrate, load_by_stream_power, load_by_power)
        end as load_of_body
    from by_measurement
),

{%- set scores = 'athlete_id, day, hours, load_of_body, suffer_score' %}

known as (
    select {{ scores }} from by_body
    {%- if is_incremental() %}
    union all
    select {{ scores }} from {{ this }}
    where
        suffer_score > 0
        and not {{ is_changed_load() }}
    {%- endif %}
),

-- what one point of Strava's score is worth, by the activities of the year up to a day that have both
scored_days as (
    select
        athlete_id,
        day,
        {{ days_between("date '1970-01-01'", 'day') }} as day_number,
        count(case when suffer_score > 0 then load_of_body end) as scored_count,
        {{ exact_sum('case when suffer_score > 0 then ' ~ capped('load_of_body', 'hours') ~ ' end') }} as body_load,
        {{ exact_sum('case when load_of_body is not null and suffer_score > 0 then suffer_score end') }} as suffer_score
    from known
    group by athlete_id, day
),

{% set year = '(partition by athlete_id order by day_number range between 364 preceding and current row)' %}
factors as (
    select
        athlete_id,
        day,
        case
            when sum(scored_count) over {{ year }} >= 10
                then {{ exact_sum('body_load', 'over ' ~ year) }} / {{ exact_sum('suffer_score', 'over ' ~ year) }}
        end as suffer_score_factor
    from scored_days
),

scored as (
    select
        by_body.*,
        case when by_body.suffer_score is not null then factors.suffer_score_factor end as suffer_score_factor,
        case
            when by_body.hours > 0 or by_body.is_moving_time_implausible
                then by_body.suffer_score * coalesce(factors.suffer_score_factor, 1)
        end as load_by_suffer_score
    from by_body
    inner join factors
        on by_body.athlete_id = factors.athlete_id and by_body.day = factors.day
),

-- of the words of the order that give a load the first
ordered as (
    select
        *,
        least(
            {%- for method in load_methods() %}
            case
                when {{ is_load_method_taken(method.word) }} and {{ method.column }} is not null then place_of_{{ method.word }}
                else 99
            end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as first_place
    from scored
),

chosen as (
    select
        *,
        case
            {%- for method in load_methods() %}
            when first_place = place_of_{{ method.word }} and {{ method.column }} is not null then {{ method.column }}
            {%- endfor %}
        end as load_uncapped,
        case
            {%- for method in load_methods() %}
            when first_place = place_of_{{ method.word }} and {{ method.column }} is not null then {{ method.name }}
            {%- endfor %}
        end as load_method
    from ordered
),

timed as (
    select
        *,
        case when load_method = 'swim' then elapsed_hours else hours end as load_hours
    from chosen
),

final as (
    select
        activity_id,
        athlete_id,
        sport_group,
        day,
        hours,
        elapsed_hours,
        suffer_score,
        sex,
        is_power_weighted,
        normalised_power_w,
        trimp,
        ftp_w,
        resting_heartrate_bpm,
        max_heartrate_bpm,
        threshold_heartrate_bpm,
        threshold_speed_mps,
        suffer_score_factor,
        load_of_body,
        {%- for method in load_methods() %}
        {{ method.column }},
        {%- endfor %}
        {%- for word in load_words() %}
        place_of_{{ word }},
        {%- endfor %}
        load_method,
        load_uncapped,
        {{ capped('load_uncapped', 'load_hours') }} as load,
        coalesce(load_uncapped > 200 * load_hours, false) as is_load_capped,
        case when load_method = 'power_stream' then normalised_power_w end as load_normalised_power_w,
        case when load_method in ('heart_rate_stream', 'heart_rate_stream_sex_unknown') then trimp end as load_trimp,
        case when load_method like 'power%' then ftp_w end as load_ftp_w,
        {%- for setting in ['resting_heartrate_bpm', 'max_heartrate_bpm', 'threshold_heartrate_bpm'] %}
        case when load_method in ({{ by_heart }}) then {{ setting }} end as load_{{ setting }},
        {%- endfor %}
        case when load_method in ('pace', 'swim') then threshold_speed_mps end as load_threshold_speed_mps,
        case when load_method = 'suffer_score' then suffer_score_factor end as load_suffer_score_factor,
        cast({{ load_definition_version() }} as int64) as load_definition_version
    from timed
)

select * from final
