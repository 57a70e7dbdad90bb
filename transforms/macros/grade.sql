{#- How much a metre costs on a slope, in metres on the flat: Strava's model of 2017 as fitted in elevate, at slopes ten and five in a hundred
    apart, straight lines between, and no steeper than 30 in a hundred. -#}
{% macro grade_points() -%}
    {{ return([
        [-0.3, 1.503974502248823], [-0.2, 1.0838287305118302], [-0.1, 0.8841037958933433], [-0.05, 0.8984823863887532], [0, 1],
        [0.05, 1.1914766063520914], [0.1, 1.4702028951927346], [0.2, 2.24492955579566], [0.3, 3.153974849304952],
    ]) }}
{%- endmacro %}

{% macro grade_factor(grade) -%}
    {%- set points = grade_points() %}
    case
        when {{ grade }} <= {{ points[0][0] }} then {{ points[0][1] }}
        {%- for grade_at, factor in points[1:] %}
        {%- set before_at, before = points[loop.index0] %}
        when {{ grade }} <= {{ grade_at }} then {{ before }} + ({{ grade }} - {{ before_at }}) * {{ (factor - before) / (grade_at - before_at) }}
        {%- endfor %}
        when {{ grade }} is not null then {{ points[-1][1] }}
        else 1
    end
{%- endmacro %}


{#- What of a recording adds up from point to point, besides its seconds. -#}
{% macro courses() -%}
    {{ return(['moved_s', 'flat_m', 'beats', 'beats_s']) }}
{%- endmacro %}
