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


{#- Pre-hook: of Eddington numbers those of changed days go, and those without activities on a screen where there are no more of these. -#}
{% macro forget_lives() -%}
    {%- if target.type != 'bigquery' -%}
        {%- set changed = ref('int_records__changed_days') -%}
        {%- if is_incremental() -%}
            delete from {{ this }} as kept
            where
                (kept.athlete_id, kept.sport_group, kept.period) in (
                    select
                        athlete_id,
                        sport_group,
                        cast({{ date_number('year', 'date_day') }} as varchar)
                    from {{ changed }}
                    union
                    select
                        athlete_id,
                        sport_group,
                        'all'
                    from {{ changed }}
                )
                or (
                    not kept.counts_virtual
                    and (kept.athlete_id, kept.sport_group) not in (
                        select athlete_id, sport_group from {{ ref('int_records__eddington_days') }}
                        where not counts_virtual
                    )
                )
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
