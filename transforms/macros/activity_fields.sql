{#-
  An activity in the words of Strava's API: what is read of it, and as what. The API's payload, a row of the athlete's export and a
  recording's file all speak so.
-#}
{% macro activity_places() -%}
    {{ return([
        'name', 'sport_type', 'type', 'workout_type', 'start_date', 'start_date_local', 'timezone', 'utc_offset',
        'distance', 'moving_time', 'elapsed_time', 'total_elevation_gain', 'elev_high', 'elev_low', 'average_speed',
        'max_speed', 'average_heartrate', 'max_heartrate', 'average_cadence', 'average_watts', 'weighted_average_watts',
        'max_watts', 'device_watts', 'kilojoules', 'calories', 'average_temp', 'suffer_score', 'gear_id', 'gear.name',
        'device_name', 'start_latlng.0', 'start_latlng.1', 'end_latlng.0', 'end_latlng.1', 'manual', 'trainer', 'commute',
        'private', 'visibility', 'kudos_count', 'comment_count', 'total_photo_count', 'achievement_count', 'pr_count',
        'map.polyline', 'map.summary_polyline',
    ]) }}
{%- endmacro %}

{#- The lists that a recording has too. -#}
{% macro recorded_lists() -%}
    {%- set split = [
        'split', 'distance', 'moving_time', 'elapsed_time', 'elevation_difference', 'average_speed',
        'average_grade_adjusted_speed', 'average_heartrate', 'pace_zone',
    ] -%}
    {{ return({
        'best_efforts': ['name', 'distance', 'elapsed_time', 'start_date'],
        'laps': [
            'id', 'lap_index', 'name', 'start_date', 'distance', 'moving_time', 'elapsed_time', 'total_elevation_gain',
            'average_speed', 'max_speed', 'average_heartrate', 'max_heartrate', 'average_cadence', 'average_watts',
            'device_watts', 'start_index', 'end_index',
        ],
        'splits_metric': split,
        'splits_standard': split,
    }) }}
{%- endmacro %}


{#- The select list of all of them but the lists, out of a relation that `opened` made. -#}
{% macro activity_columns(fields) -%}
        {{ fields }}.name,
        coalesce(nullif({{ fields }}.sport_type, ''), nullif({{ fields }}.type, '')) as sport_type,
        {{ as_int(fields ~ '.workout_type') }} as workout_type,
        {{ as_timestamp(fields ~ '.start_date') }} as start_at,
        {{ as_datetime(fields ~ '.start_date_local') }} as sent_start_at_local,
        nullif(trim(regexp_replace({{ fields }}.timezone, '^[(][^)]*[)]', '')), '') as timezone_name,
        {{ as_offset(fields ~ '.utc_offset') }} as utc_offset_s,
        {{ as_float(fields ~ '.distance') }} as distance_m,
        {{ as_int(fields ~ '.moving_time') }} as moving_time_s,
        {{ as_int(fields ~ '.elapsed_time') }} as elapsed_time_s,
        {{ as_float(fields ~ '.total_elevation_gain') }} as elevation_gain_m,
        {{ as_float(fields ~ '.elev_high') }} as elevation_high_m,
        {{ as_float(fields ~ '.elev_low') }} as elevation_low_m,
        {{ as_float(fields ~ '.average_speed') }} as average_speed_mps,
        {{ as_float(fields ~ '.max_speed') }} as max_speed_mps,
        {{ as_float(fields ~ '.average_heartrate') }} as average_heartrate_bpm,
        {{ as_float(fields ~ '.max_heartrate') }} as max_heartrate_bpm,
        {{ as_float(fields ~ '.average_cadence') }} as average_cadence_rpm,
        {{ as_float(fields ~ '.average_watts') }} as average_power_w,
        {{ as_float(fields ~ '.weighted_average_watts') }} as weighted_power_w,
        {{ as_float(fields ~ '.max_watts') }} as max_power_w,
        {{ as_bool(fields ~ '.device_watts') }} as is_power_measured,
        {{ as_float(fields ~ '.kilojoules') }} as energy_kj,
        {{ as_float(fields ~ '.calories') }} as calories_kcal,
        {{ as_float(fields ~ '.average_temp') }} as average_temperature_c,
        {{ as_float(fields ~ '.suffer_score') }} as suffer_score,
        {{ fields }}.gear_id,
        {{ fields }}.gear_name,
        {{ fields }}.device_name,
        {{ as_latitude(fields ~ '.start_latlng_0', fields ~ '.start_latlng_1') }} as start_latitude,
        {{ as_longitude(fields ~ '.start_latlng_0', fields ~ '.start_latlng_1') }} as start_longitude,
        {{ as_latitude(fields ~ '.end_latlng_0', fields ~ '.end_latlng_1') }} as end_latitude,
        {{ as_longitude(fields ~ '.end_latlng_0', fields ~ '.end_latlng_1') }} as end_longitude,
        {{ as_bool(fields ~ '.manual') }} as is_manual,
        {{ as_bool(fields ~ '.trainer') }} as is_trainer,
        {{ as_bool(fields ~ '.commute') }} as is_commute,
        {{ as_bool(fields ~ '.private') }} as is_private,
        {{ fields }}.visibility,
        coalesce(nullif({{ fields }}.map_polyline, ''), nullif({{ fields }}.map_summary_polyline, '')) as polyline,
        case
            when nullif({{ fields }}.map_polyline, '') is not null then 'detailed'
            when nullif({{ fields }}.map_summary_polyline, '') is not null then 'summary'
        end as polyline_kind,
        {{ as_int(fields ~ '.kudos_count') }} as kudos_count,
        {{ as_int(fields ~ '.comment_count') }} as comment_count,
        {{ as_int(fields ~ '.total_photo_count') }} as photo_count,
        {{ as_int(fields ~ '.achievement_count') }} as achievement_count,
        {{ as_int(fields ~ '.pr_count') }} as pr_count
{%- endmacro %}


{#- Which of these columns are one source's alone, so that the first source that knows a value tells it. -#}
{% macro filled_columns() -%}
    {{ return([
        'name', 'workout_type', 'distance_m', 'moving_time_s', 'elapsed_time_s', 'elevation_gain_m', 'elevation_high_m',
        'elevation_low_m', 'average_speed_mps', 'max_speed_mps', 'average_heartrate_bpm', 'max_heartrate_bpm',
        'average_cadence_rpm', 'average_power_w', 'weighted_power_w', 'max_power_w', 'is_power_measured', 'energy_kj',
        'calories_kcal', 'average_temperature_c', 'suffer_score', 'start_latitude', 'start_longitude', 'end_latitude',
        'end_longitude', 'is_manual', 'is_trainer', 'is_commute', 'is_private', 'visibility', 'kudos_count',
        'comment_count', 'photo_count', 'achievement_count', 'pr_count',
    ]) }}
{%- endmacro %}

{#- Of these a file may say that it computed them from its readings, by the API's names. -#}
{% macro computable_columns() -%}
    {{ return({
        'distance_m': 'distance', 'moving_time_s': 'moving_time', 'elapsed_time_s': 'elapsed_time',
        'elevation_gain_m': 'total_elevation_gain', 'average_speed_mps': 'average_speed', 'max_speed_mps': 'max_speed',
        'average_heartrate_bpm': 'average_heartrate', 'max_heartrate_bpm': 'max_heartrate',
        'average_cadence_rpm': 'average_cadence', 'average_power_w': 'average_watts', 'max_power_w': 'max_watts',
        'weighted_power_w': 'weighted_average_watts', 'energy_kj': 'kilojoules', 'average_temperature_c': 'average_temp',
    }) }}
{%- endmacro %}

{#- The names of those of them that the API does not tell and a file computed, as one text; null where there are none. -#}
{% macro joined_names(columns, api, owned) -%}
    nullif(
        array_to_string(
            [
                {%- for column in columns %}
                case when {{ api }}.{{ column }} is null and {{ owned }}.has_computed_{{ column }} then '{{ column }}' end{{ ',' if not loop.last }}
                {%- endfor %}
            ],
            ','
        ),
        ''
    )
{%- endmacro %}


{#- The latest of moments of which some may be null. -#}
{% macro newest_of(moments) -%}
    greatest(
        {%- for moment in moments %}
        coalesce({{ ([moment] + moments) | unique | join(', ') }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
