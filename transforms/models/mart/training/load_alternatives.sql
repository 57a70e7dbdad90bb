{{ config(materialized='view', meta={'definition_version': load_definition_version()}) }}

with loads as (
    select * from {{ portable(ref('int_training__loads')) }}
),

alternatives as (
    {%- for method in load_methods() %}
    select
        activity_id,
        athlete_id,
        {{ method.name }} as load_method,
        {%- set is_second = loop.previtem is defined and loop.previtem.word == method.word %}
        2 * place_of_{{ method.word }} - {{ 0 if is_second else 1 }} as priority,
        {{ method.column }} as load_uncapped,
        {{ 'elapsed_hours' if method.column == 'load_by_swim' else 'hours' }} as load_hours,
        load_method as chosen_method,
        {{ load_inputs(method.column) }}
    from loads
    where {{ method.column }} is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        activity_id,
        athlete_id,
        load_method,
        cast(priority as int64) as priority,
        coalesce(load_method = chosen_method, false) as is_chosen,
        {{ capped('load_uncapped', 'load_hours') }} as load,
        load_uncapped,
        coalesce(load_uncapped > 200 * load_hours, false) as is_load_capped,
        load_normalised_power_w,
        load_trimp,
        load_ftp_w,
        load_resting_heartrate_bpm,
        load_max_heartrate_bpm,
        load_threshold_heartrate_bpm,
        load_threshold_speed_mps,
        load_suffer_score_factor,
        cast({{ load_definition_version() }} as int64) as load_definition_version
    from alternatives
)

select * from final
