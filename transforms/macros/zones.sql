{#-
  zone_rows(relation, key): the athlete's zones as Strava sends them, as the lower ends of the zones of heart rate and power in their
  order, and whether the athlete typed the ones of heart rate in. Empty where there are none, or one cannot be read.
-#}
{% macro zone_rows(relation, key) -%}
    {{ return(adapter.dispatch('zone_rows')(relation, key)) }}
{%- endmacro %}

{% macro duckdb__zone_rows(relation, key) -%}
    select
        {{ key }},
        {{ as_bool('sent.zones.heart_rate.custom_zones') }} as has_custom_heartrate_zones,
        {%- for kind, name in {'heart_rate': 'heartrate_zone_starts_bpm', 'power': 'power_zone_starts_w'}.items() %}
        {%- set starts = "list_transform(sent.zones." ~ kind ~ ".zones, lambda zone: " ~ as_int('zone.min') ~ ")" %}
        case when len(list_filter({{ starts }}, lambda low: low is null)) = 0 then {{ starts }} else [] end as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ key }},
            from_json(
                case when json_valid(payload) then cast(payload as json) end,
                '{"zones": {"heart_rate": {"custom_zones": "VARCHAR", "zones": [{"min": "VARCHAR"}]}, "power": {"zones": [{"min": "VARCHAR"}]}}}'
            ) as sent
        from {{ relation }}
    ) as opened
{%- endmacro %}

{% macro bigquery__zone_rows(relation, key) -%}
    select
        {{ key }},
        {{ as_bool("json_value(payload, '$.zones.heart_rate.custom_zones')") }} as has_custom_heartrate_zones,
        {%- for kind, name in {'heart_rate': 'heartrate_zone_starts_bpm', 'power': 'power_zone_starts_w'}.items() %}
        {%- set zones = "unnest(json_query_array(payload, '$.zones." ~ kind ~ ".zones')) as zone" %}
        {%- set low = as_int("json_value(zone, '$.min')") %}
        array(
            select {{ low }}
            from {{ zones }} with offset as place
            where (select countif({{ low }} is null) from {{ zones }}) = 0
            order by place
        ) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}
