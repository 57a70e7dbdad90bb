{#-
  Training load, about 100 for an hour at threshold; each `load_by_…` is null where its method has nothing to go by.
  Sources: Allen and Coggan, Training and Racing with a Power Meter (Training Stress Score = hours × IF² × 100, IF = normalised power
  / FTP); Banister 1991, Modeling elite athletic performance, in MacDougall et al. (TRIMP = minutes × r × 0.64 × e^(1.92 r), r being
  the fraction of the heart rate reserve, at most 1), scaled so that an hour at r = 0.85, about the lactate threshold, gives 100.
-#}
{#- Rides only: a runner's watts are no share of a cyclist's FTP. Ten times the FTP and more is no reading. -#}
{% macro load_by_power(is_measured) -%}
    {%- set power = 'coalesce(weighted_power_w, average_power_w)' -%}
    case
        when
            sport_group = 'ride'
            and coalesce(is_power_measured, false) = {{ is_measured | lower }}
            and {{ power }} > 0
            and {{ power }} < 10 * {{ var('ftp_w') }}
            and moving_time_s > 0
            then
                moving_time_s / 3600.0
                * ({{ power }} / {{ var('ftp_w') }})
                * ({{ power }} / {{ var('ftp_w') }})
                * 100
    end
{%- endmacro %}

{% macro load_by_heartrate() -%}
    {%- set reserve = "least((average_heartrate_bpm - " ~ var('heartrate_rest_bpm') ~ ") / "
        ~ (var('heartrate_max_bpm') - var('heartrate_rest_bpm')) ~ ", 1)" -%}
    case
        when average_heartrate_bpm > {{ var('heartrate_rest_bpm') }} and moving_time_s > 0
            then
                100 * (moving_time_s / 3600.0)
                * ({{ reserve }} * exp(1.92 * {{ reserve }}))
                / (0.85 * exp(1.92 * 0.85))
    end
{%- endmacro %}

{% macro load_by_time() -%}
    case when moving_time_s > 0 then moving_time_s / 3600.0 * 50 end
{%- endmacro %}
