{#- What of an activity may be a record, as a whole or as a part of a day or week; null where it may not. -#}
{% macro credible_distance_m() -%}
    case when not is_speed_inconsistent then distance_m end
{%- endmacro %}

{% macro credible_moving_time_s() -%}
    case when not is_moving_time_implausible then moving_time_s end
{%- endmacro %}

{% macro credible_elapsed_time_s() -%}
    case when not is_elapsed_time_implausible then elapsed_time_s end
{%- endmacro %}

{#- What average speeds of a period are made of. -#}
{% macro has_speed() -%}
    not is_assisted and not is_speed_inconsistent and not is_moving_time_implausible and distance_m > 0 and moving_time_s > 0
{%- endmacro %}

{#- A trainer, a screen and a form climb nothing. -#}
{% macro climbed_outdoors_m() -%}
    case when {{ is_outdoors() }} then elevation_gain_m end
{%- endmacro %}

{% macro is_outdoors() -%}
    not is_manual and not is_trainer and not is_virtual
{%- endmacro %}


{#- How many of these thresholds, each of so many units of the column, it has reached. -#}
{% macro count_of_reached(column, values, unit) -%}
    {%- for value in values %}
    {{- ' + ' if not loop.first -}} case when {{ column }} >= {{ value }} * {{ unit }} then 1 else 0 end
    {%- endfor -%}
{%- endmacro %}


{#- Of Eddington numbers, whether a life, which is an athlete's in a sport group and period, has a changed day. -#}
{% macro is_changed_life() -%}
    {%- if target.type == 'bigquery' -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set changed = ref('int_records__changed_days') -%}
    {%- set year = 'cast(' ~ date_number('year', 'date_day') ~ ' as varchar)' -%}
    {%- set lives = 'select athlete_id, sport_group, ' ~ year ~ ' from ' ~ changed
        ~ " union select athlete_id, sport_group, 'all' from " ~ changed -%}
    {{ return('(athlete_id, sport_group, period) in (' ~ lives ~ ')') }}
{%- endmacro %}

{#- Pre-hook: these go, and those without activities on a screen where there are no more of these. -#}
{% macro forget_lives() -%}
    {%- set on_screen = 'select athlete_id, sport_group from ' ~ ref('int_records__daily')
        ~ ' where real_distance_m is distinct from distance_m' -%}
    {{ return(forgotten_where(
        is_changed_life() ~ ' or not counts_virtual and (athlete_id, sport_group) not in (' ~ on_screen ~ ')'
    )) }}
{%- endmacro %}

{#- Whether a life is to be built: a changed or a new one; always on a full build. -#}
{% macro is_wanted_life() -%}
    {%- set columns = 'athlete_id, sport_group, unit, period, counts_virtual' -%}
    {{ return(is_changed_life() ~ ' or (' ~ columns ~ ') not in (select ' ~ columns ~ ' from ' ~ this ~ ')' if is_incremental() else 'true') }}
{%- endmacro %}
