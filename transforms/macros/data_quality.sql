{#-
  The checks of `data_quality_issue` by name. `kind` says how sure a check is: wrong (it cannot be so), doubtful (it may be right) or
  missing (something is not known). `condition` is of an activity as the model has it, none where the model finds it elsewhere; `measured`
  is the number behind it. `marts` are those whose numbers it touches. A flag that has a place already is only named here.
-#}
{% macro data_quality_checks() -%}
    {%- set records = ['record_best_effort', 'record_progression', 'race_prediction'] -%}
    {%- set sums = [
        'activity_mix', 'activity_summary', 'calendar_heat', 'goal_progress', 'milestone', 'trend_rolling_daily', 'trend_year_over_year',
        'year_review',
    ] -%}
    {%- set days = ['activity_summary', 'calendar_heat', 'start_pattern', 'streak'] -%}
    {%- set streams = ['time_in_zone', 'stream_summary', 'split'] -%}
    {{ return({
        'unreadable_fields': {'kind': 'wrong', 'condition': 'has_unreadable_fields', 'marts': ['fct_activities'] + sums},
        'undated': {'kind': 'wrong', 'condition': 'start_date_local is null', 'marts': days},
        'too_early': {
            'kind': 'wrong', 'condition': "not is_manual and start_date_local < cast('2000-01-01' as date)", 'marts': days,
        },
        'in_the_future': {'kind': 'wrong', 'marts': days},
        'speed_inconsistent': {
            'kind': 'wrong', 'condition': 'is_speed_inconsistent',
            'marts': ['eddington', 'load_alternatives', 'record_longest'] + records,
        },
        'time_inconsistent': {'kind': 'wrong', 'condition': 'is_time_inconsistent', 'marts': ['fct_activities']},
        'moving_time_implausible': {
            'kind': 'wrong', 'condition': 'is_moving_time_implausible', 'measured': 'moving_time_s',
            'marts': ['load_alternatives', 'record_longest'] + records,
        },
        'elapsed_time_implausible': {
            'kind': 'doubtful', 'condition': 'is_elapsed_time_implausible and not is_moving_time_implausible',
            'measured': 'elapsed_time_s', 'marts': ['record_longest'],
        },
        'no_moving_time': {
            'kind': 'wrong', 'condition': 'distance_m > 0 and coalesce(moving_time_s, 0) = 0', 'measured': 'distance_m', 'marts': sums,
        },
        'no_distance': {
            'kind': 'missing',
            'condition': "sport_group in ('run', 'ride', 'swim', 'walk') and coalesce(distance_m, 0) = 0 and moving_time_s > 0",
            'measured': 'moving_time_s', 'marts': ['eddington'] + sums,
        },
        'gps_jump': {'kind': 'wrong', 'condition': 'gps_jump_count > 0', 'measured': 'gps_jump_count', 'marts': records},
        'faster_than_world_record': {
            'kind': 'wrong', 'condition': 'faster_than_world_record_count > 0', 'measured': 'faster_than_world_record_count',
            'marts': records,
        },
        'effort_longer_than_activity': {
            'kind': 'doubtful', 'condition': 'activity_shorter_count > 0', 'measured': 'activity_shorter_count', 'marts': records,
        },
        'heart_rate_out_of_range': {
            'kind': 'doubtful', 'condition': 'heartrate_suspect_s > 0', 'measured': 'heartrate_suspect_s',
            'marts': ['stream_summary', 'time_in_zone'],
        },
        'power_out_of_range': {
            'kind': 'wrong', 'condition': 'is_power_measured and (max_power_w > 2500 or dropped_power_count > 0)', 'measured': 'max_power_w',
            'marts': ['power_curve', 'power_curve_activity', 'time_in_zone'],
        },
        'power_estimated': {
            'kind': 'doubtful', 'condition': 'not is_power_measured', 'measured': 'average_power_w',
            'marts': ['load_alternatives', 'power_curve', 'time_in_zone'],
        },
        'climb_impossible': {
            'kind': 'wrong',
            'condition': "sport_group in ('run', 'ride', 'walk', 'winter') and not is_trainer and distance_m > 0"
            ~ ' and elevation_gain_m > distance_m',
            'measured': 'elevation_gain_m', 'marts': ['record_longest'] + sums,
        },
        'load_capped': {'kind': 'doubtful', 'measured': 'load', 'marts': ['load_alternatives', 'training_load_daily']},
        'sport_unknown': {
            'kind': 'doubtful', 'condition': 'is_sport_unknown', 'marts': ['activity_mix', 'activity_summary', 'training_load_daily'],
        },
        'start_time_hidden': {'kind': 'missing', 'condition': 'has_hidden_start_time', 'marts': ['start_pattern']},
        'time_zone_assumed': {
            'kind': 'doubtful', 'condition': "utc_offset_source = 'athlete' or (start_at is not null and utc_offset_s is null)",
            'marts': days,
        },
        'time_zone_far': {
            'kind': 'doubtful', 'condition': hours_from_the_sun() ~ ' > 4', 'measured': hours_from_the_sun(), 'marts': days,
        },
        'recordings_overlap': {'kind': 'doubtful', 'marts': ['eddington', 'gear_usage', 'training_load_daily'] + sums},
        'import_overlaps': {'kind': 'doubtful', 'marts': ['import_suspect'] + sums},
        'import_time_zone': {'kind': 'doubtful', 'marts': ['import_suspect'] + sums},
        'details_missing': {
            'kind': 'missing', 'condition': "resource_state < 3 and source = 'api'", 'marts': ['lap', 'split'] + records,
        },
        'streams_missing': {
            'kind': 'missing', 'condition': 'not is_manual and not has_streams',
            'marts': ['activity_course', 'power_curve', 'power_curve_activity'] + streams,
        },
        'gear_unknown': {'kind': 'missing', 'marts': ['gear_usage', 'gear_usage_month']},
    }) }}
{%- endmacro %}


{#- How many hours the clock at the start of an activity is away from the sun's time there, either way round the day. -#}
{% macro hours_from_the_sun() -%}
    {%- set apart = 'abs(utc_offset_s / 3600 - start_longitude / 15)' -%}
    {{ return('least(' ~ apart ~ ', abs(24 - ' ~ apart ~ '))') }}
{%- endmacro %}


{#- Pre-hook: on one machine the rows of what changed go, and those that are found again in each run. -#}
{% macro forget_issues() -%}
    {%- set names = [] -%}
    {%- for name, check in data_quality_checks().items() if not check.condition -%}{%- do names.append(name) -%}{%- endfor -%}
    {%- set found_elsewhere = "check_name in ('" ~ names | join("', '") ~ "')" -%}
    {{ return(forgotten_where(is_changed_in_streams() ~ ' or ' ~ found_elsewhere)) }}
{%- endmacro %}
