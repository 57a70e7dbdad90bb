{#-
  VDOT, after Daniels and Gilbert, Oxygen Power (1979): the oxygen that a speed costs (v in m/min), over the share of the maximum that
  can be held for a time (minutes). `vdot_time_min` turns it round for a distance: the speed that a share pays for gives a time, which
  gives a share; each step is about fifteen times closer, so twelve of them reach the last digit.
-#}
{% macro vdot(distance_m, time_s) -%}
    ({{ vdot_cost(distance_m ~ ' / (' ~ time_s ~ ' / 60)') }}) / ({{ vdot_share(time_s ~ ' / 60') }})
{%- endmacro %}

{% macro vdot_cost(speed) -%}
    -4.6 + 0.182258 * ({{ speed }}) + 0.000104 * ({{ speed }}) * ({{ speed }})
{%- endmacro %}

{% macro vdot_share(minutes) -%}
    0.8 + 0.1894393 * exp(-0.012778 * ({{ minutes }})) + 0.2989558 * exp(-0.1932605 * ({{ minutes }}))
{%- endmacro %}

{% macro vdot_next_minutes(distance_m, vdot, minutes) -%}
    {{ distance_m }} * 2 * 0.000104 / (
        -0.182258
        + sqrt(0.182258 * 0.182258 + 4 * 0.000104 * (4.6 + {{ vdot }} * ({{ vdot_share(minutes) }})))
    )
{%- endmacro %}
