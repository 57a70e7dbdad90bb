{#- What of an activity may be a record, as a whole or as a part of a day or week; null where it may not. -#}
{% macro credible_distance_m() -%}
    case when not is_speed_inconsistent then distance_m end
{%- endmacro %}

{#- A trainer, a screen and a form climb nothing. -#}
{% macro climbed_outdoors_m() -%}
    case when {{ is_outdoors() }} then elevation_gain_m end
{%- endmacro %}

{% macro is_outdoors() -%}
    not is_manual and not is_trainer and not is_virtual
{%- endmacro %}
