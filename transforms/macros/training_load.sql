{#-
  Training load of one activity by each method, about 100 for an hour at threshold; null where a method has nothing to go by.
  Columns: hours (in motion), elapsed_hours, sport_group, is_assisted, power_w, is_power_measured, average_heartrate_bpm, speed_mps, of its streams
  normalised_power_w and trimp, and what the athlete's settings of that day say. Sources and formulas: the description of `fct_activities.load`.
-#}
{#- Ten times the FTP and more is no reading. -#}
{% macro load_by_power(power='power_w') -%}
    case
        when hours > 0 and ftp_w > 0 and {{ power }} > 0 and {{ power }} < 10 * ftp_w and coalesce(is_power_measured, false)
            then hours * ({{ power }} / ftp_w) * ({{ power }} / ftp_w) * 100
    end
{%- endmacro %}

{#- Strava estimates from speed, which of an e-bike is the motor's too. -#}
{% macro load_by_estimated_power() -%}
    case
        when
            hours > 0 and ftp_w > 0 and power_w > 0 and power_w < 10 * ftp_w
            and not coalesce(is_power_measured, false) and sport_group = 'ride' and not is_assisted
            then hours * (power_w / ftp_w) * (power_w / ftp_w) * 100
    end
{%- endmacro %}

{#- A share of the heart rate reserve, between none and all of it. -#}
{% macro reserve_share(heartrate) -%}
    least(greatest(({{ heartrate }} - resting_heartrate_bpm) / (max_heartrate_bpm - resting_heartrate_bpm), 0), 1)
{%- endmacro %}

{#- Training impulse of so many minutes at an average heart rate (Banister 1991; for women Morton, Fitz-Clarke and Banister 1990). -#}
{% macro trimp(minutes, heartrate) -%}
    {{ minutes }} * {{ reserve_share(heartrate) }} * case when sex = 'F' then 0.86 else 0.64 end
    * exp(case when sex = 'F' then 1.67 else 1.92 end * {{ reserve_share(heartrate) }})
{%- endmacro %}

{#- TRIMP over the TRIMP of an hour at threshold. -#}
{% macro load_by_heartrate() -%}
    case
        when average_heartrate_bpm between 30 and 250
            then {{ load_by_impulse(trimp('hours * 60', 'average_heartrate_bpm')) }}
    end
{%- endmacro %}

{% macro load_by_impulse(impulse='trimp') -%}
    case
        when hours > 0 and max_heartrate_bpm > resting_heartrate_bpm and threshold_heartrate_bpm > resting_heartrate_bpm
            then 100 * ({{ impulse }}) / ({{ trimp('60', 'threshold_heartrate_bpm') }})
    end
{%- endmacro %}

{#- The maximal heart rate that is usual at the age that is reached in the year of a day (Tanaka, Monahan and Seals 2001). -#}
{% macro heartrate_by_age(day, birth_year) -%}
    {{ as_double('208') }} - 0.7 * ({{ date_number('year', day) }} - {{ birth_year }})
{%- endmacro %}

{% macro load_by_pace() -%}
    case
        when hours > 0 and sport_group in ('run', 'walk') and speed_mps > 0 and threshold_speed_mps > 0
            then hours * (speed_mps / threshold_speed_mps) * (speed_mps / threshold_speed_mps) * 100
    end
{%- endmacro %}

{% macro load_by_swim() -%}
    case
        when elapsed_hours > 0 and sport_group = 'swim' and speed_mps > 0 and threshold_speed_mps > 0
            then
                elapsed_hours
                * (speed_mps / threshold_speed_mps) * (speed_mps / threshold_speed_mps) * (speed_mps / threshold_speed_mps)
                * 100
    end
{%- endmacro %}

{% macro load_by_time() -%}
    case when hours > 0 then hours * 50 end
{%- endmacro %}


{#- Not more than 200 an hour. -#}
{% macro capped(load, hours) -%}
    case when {{ load }} > 200 * {{ hours }} then 200 * {{ hours }} else {{ load }} end
{%- endmacro %}


{#-
  The methods in the order in which they are taken where an athlete tells none: name, or the condition of another, column of the load, and the word
  of athlete.toml's `load_order` (docs/athlete-toml.md) that names it.
-#}
{% macro load_methods() -%}
    {{ return([
        {'word': 'power', 'column': 'load_by_stream_power', 'name': "'power_stream'"},
        {
            'word': 'power',
            'column': 'load_by_power',
            'name': "case when is_power_weighted then 'power_strava' else 'power_average' end"
        },
        {
            'word': 'heart_rate',
            'column': 'load_by_stream_heartrate',
            'name': "case when sex is null then 'heart_rate_stream_sex_unknown' else 'heart_rate_stream' end"
        },
        {
            'word': 'heart_rate',
            'column': 'load_by_heartrate',
            'name': "case when sex is null then 'heart_rate_sex_unknown' else 'heart_rate' end"
        },
        {'word': 'pace', 'column': 'load_by_pace', 'name': "'pace'"},
        {'word': 'pace', 'column': 'load_by_swim', 'name': "'swim'"},
        {
            'word': 'relative_effort',
            'column': 'load_by_suffer_score',
            'name': "case when suffer_score_factor is null then 'suffer_score_unscaled' else 'suffer_score' end"
        },
        {'word': 'estimated_power', 'column': 'load_by_estimated_power', 'name': "'power_estimated'"},
        {'word': 'time', 'column': 'load_by_time', 'name': "'time'"},
    ]) }}
{%- endmacro %}

{% macro load_words() -%}
    {{ return(load_methods() | map(attribute='word') | unique | list) }}
{%- endmacro %}

{#-
  Where a word stands in the athlete's order, from 1; what it leaves out stands behind all words, in this project's order. Without `between_commas` the
  order is this project's, which is said first: looking into texts took as long as all the rest of 100,000 loads.
-#}
{% macro load_place(word) -%}
    {%- set before = "substr(between_commas, 1, strpos(between_commas, '," ~ word ~ ",'))" -%}
    case
        when between_commas is null then {{ load_words().index(word) + 1 }}
        when strpos(between_commas, ',{{ word }},') > 0 then length({{ before }}) - length(replace({{ before }}, ',', ''))
        else {{ load_words() | length + load_words().index(word) + 1 }}
    end
{%- endmacro %}

{#- Whether the athlete's order names a method. -#}
{% macro is_load_method_taken(word) -%}
    place_of_{{ word }} <= {{ load_words() | length }}
{%- endmacro %}


{#- What a load by a method rests on, besides the activity itself; null where the method does not use it. -#}
{% macro load_inputs(column=none) -%}
    {%- set by_heart = ['load_by_stream_heartrate', 'load_by_heartrate'] -%}
    {%- set uses = {
        'normalised_power_w': ['load_by_stream_power'],
        'trimp': ['load_by_stream_heartrate'],
        'ftp_w': ['load_by_stream_power', 'load_by_power', 'load_by_estimated_power'],
        'resting_heartrate_bpm': by_heart,
        'max_heartrate_bpm': by_heart,
        'threshold_heartrate_bpm': by_heart,
        'threshold_speed_mps': ['load_by_pace', 'load_by_swim'],
        'suffer_score_factor': ['load_by_suffer_score'],
    } -%}
    {%- for name, columns in uses.items() %}
    {{ name if column in columns else as_double('null') }} as load_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Rises when the same activities and settings give other loads. -#}
{% macro load_definition_version() -%}
    {{ return(4) }}
{%- endmacro %}


{#- The day whose settings an activity counts by: the last of all days where it has none, so that the newest ones count. -#}
{% macro load_day() -%}
    coalesce(start_date_local, date '9999-12-31')
{%- endmacro %}

{#- Whether the load of an activity may be another than the last build reckoned: in a refresh a place for the ids, as with `is_changed`; always on
    a full build. -#}
{% macro is_changed_load(column='activity_id') -%}
    {%- set changed = of_refreshes('int_training__changed_loads') -%}
    {%- if is_script() -%}
        {{ return('<<changed:' ~ changed.identifier ~ ' ' ~ column ~ '>>') }}
    {%- endif -%}
    {{ return(is_one_of(changed, column) if changed else 'true') }}
{%- endmacro %}

{#- Post-hook of `fct_activities`: a load follows settings and other activities, so it may change while its activity does not. -#}
{% macro follow_loads() -%}
    {#- so that it comes after that list, which reads this table as it was before #}
    {%- set touched = of_refreshes('int_summaries__touched_days') -%}
    {%- set are_changed = [is_changed_load('kept.activity_id'), is_changed_load('loads.activity_id')] -%}
    {%- if is_incremental() -%}
        update {{ this }} as kept
        set
            {%- for column in load_columns() %}
            {{ column }} = loads.{{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ ref('int_training__loads') }} as loads
        where
            kept.activity_id = loads.activity_id
            {%- for is_changed in are_changed if is_changed != 'true' %}
            and {{ is_changed }}
            {%- endfor %}
            and (
                {%- for column in load_columns() %}
                kept.{{ column }} is distinct from loads.{{ column }}{{ ' or' if not loop.last }}
                {%- endfor %}
            )
    {%- endif -%}
{%- endmacro %}

{% macro load_columns() -%}
    {{ return([
        'load', 'load_method', 'load_uncapped', 'is_load_capped', 'load_normalised_power_w', 'load_trimp', 'load_ftp_w',
        'load_resting_heartrate_bpm', 'load_max_heartrate_bpm', 'load_threshold_heartrate_bpm', 'load_threshold_speed_mps',
        'load_suffer_score_factor', 'load_definition_version',
    ]) }}
{%- endmacro %}
