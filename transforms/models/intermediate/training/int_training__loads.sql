{{ config(cluster_by=['athlete_id', 'activity_id']) }}

with inputs as (
    select * from {{ ref('int_training__inputs') }}
),

by_measurement as (
    select
        *,
        {{ load_by_power() }} as load_by_power,
        {{ load_by_heartrate() }} as load_by_heartrate,
        {{ load_by_pace() }} as load_by_pace,
        {{ load_by_swim() }} as load_by_swim,
        {{ load_by_estimated_power() }} as load_by_estimated_power,
        {{ load_by_time() }} as load_by_time,
        {{ capped('coalesce(' ~ load_by_power() ~ ', ' ~ load_by_heartrate() ~ ')', 'hours') }} as body_load
    from inputs
),

-- what one point of Strava's score is worth, by the activities of the year up to a day that have both
scored_days as (
    select
        athlete_id,
        day,
        {{ days_between("date '1970-01-01'", 'day') }} as day_number,
        count(case when suffer_score > 0 then body_load end) as scored_count,
        {{ exact_sum('case when suffer_score > 0 then body_load end') }} as body_load,
        {{ exact_sum('case when body_load is not null and suffer_score > 0 then suffer_score end') }} as suffer_score
    from by_measurement
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
        by_measurement.*,
        factors.suffer_score_factor,
        case
            when by_measurement.hours > 0 or by_measurement.is_moving_time_implausible
                then by_measurement.suffer_score * coalesce(factors.suffer_score_factor, 1)
        end as load_by_suffer_score
    from by_measurement
    inner join factors
        on by_measurement.athlete_id = factors.athlete_id and by_measurement.day = factors.day
),

chosen as (
    select
        *,
        coalesce({{ load_methods() | map(attribute='column') | join(', ') }}) as load_uncapped,
        case
            {%- for method in load_methods() %}
            when {{ method.column }} is not null then {{ method.name }}
            {%- endfor %}
        end as load_method
    from scored
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
        hours,
        elapsed_hours,
        sex,
        is_power_weighted,
        ftp_w,
        resting_heartrate_bpm,
        max_heartrate_bpm,
        threshold_heartrate_bpm,
        threshold_speed_mps,
        suffer_score_factor,
        {%- for method in load_methods() %}
        {{ method.column }},
        {%- endfor %}
        load_method,
        load_uncapped,
        {{ capped('load_uncapped', 'load_hours') }} as load,
        coalesce(load_uncapped > 200 * load_hours, false) as is_load_capped,
        case when load_method in ('power_strava', 'power_average', 'power_estimated') then ftp_w end as load_ftp_w,
        {%- for setting in ['resting_heartrate_bpm', 'max_heartrate_bpm', 'threshold_heartrate_bpm'] %}
        case when load_method in ('heart_rate', 'heart_rate_sex_unknown') then {{ setting }} end as load_{{ setting }},
        {%- endfor %}
        case when load_method in ('pace', 'swim') then threshold_speed_mps end as load_threshold_speed_mps,
        case when load_method = 'suffer_score' then suffer_score_factor end as load_suffer_score_factor,
        cast({{ load_definition_version() }} as int64) as load_definition_version
    from timed
)

select * from final
