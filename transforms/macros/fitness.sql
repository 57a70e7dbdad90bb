{#-
  Averages of the load that forget, exact and without a step for each day: https://en.wikipedia.org/wiki/Exponential_smoothing

  After n days of which each leaves the part r of the average, a load L weighs (1 - r) r^n L. So what a day has is one running sum of
  L / r^day, times r^day. Days are summed up in blocks, so that no r^day leaves what a decimal holds, and a block begins with what those
  before it left. Twelve of them are enough: of an older one nothing is left that a float has room for, e^(-12 * 128 / 42) being 10^-16.
-#}
{% macro block_days() -%}
    {{ return(128) }}
{%- endmacro %}

{% macro blocks_before() -%}
    {{ return(12) }}
{%- endmacro %}

{#- What a day leaves of each average. -#}
{% macro averages() -%}
    {{ return({
        'fitness': 'exp(-1 / ' ~ as_double(42) ~ ')',
        'fatigue': 'exp(-1 / ' ~ as_double(7) ~ ')',
        'linear_fitness': '(1 - 1 / ' ~ as_double(42) ~ ')',
        'linear_fatigue': '(1 - 1 / ' ~ as_double(7) ~ ')',
    }) }}
{%- endmacro %}


{#- The loads of a block up to its day `place`, as if all were of its first day; added up as millionths, for their last digits. -#}
{% macro weighed(average) -%}
    {{
        exact_sum(
            '1000000 * load / power(' ~ averages()[average] ~ ', place)',
            'over (partition by athlete_id, sport_group, block order by place rows between unbounded preceding and current row)',
            scale=9
        )
    }} / 1000000
{%- endmacro %}

{#- What an average was before a block; `…_of_block` are the weighed loads of whole blocks, one row a block. -#}
{% macro carried(average) -%}
    {%- set rest = averages()[average] -%}
    (1 - {{ rest }}) * power({{ rest }}, {{ block_days() - 1 }}) * (
    {%- for number in range(blocks_before()) -%}
        {{ ' + ' if not loop.first -}}
        power({{ rest }}, {{ block_days() * number }}) * coalesce(lag({{ average }}_of_block, {{ number + 1 }}) over in_order, 0)
    {%- endfor -%}
    )
{%- endmacro %}

{#- What it is after the day `place` of the block. -#}
{% macro averaged(average) -%}
    {%- set rest = averages()[average] -%}
    power({{ rest }}, weighed.place + 1) * carried.{{ average }}_before
    + (1 - {{ rest }}) * power({{ rest }}, weighed.place) * weighed.{{ average }}_of_block
{%- endmacro %}


{#- Standard deviation of some loads of one row, as of a population; added up one after the other, so that it is the same each time. -#}
{% macro deviation(loads, mean) -%}
    sqrt((
    {%- for load in loads -%}
        {{ ' + ' if not loop.first -}}
        ({{ load }} - {{ mean }}) * ({{ load }} - {{ mean }})
    {%- endfor -%}
    ) / {{ loads | length }})
{%- endmacro %}
