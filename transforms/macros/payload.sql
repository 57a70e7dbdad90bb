{#-
  What is read out of an activity's payload: our name → [place in the payload, type].
  Places are names joined by dots; `start_latlng.0` is the first element of an array.
-#}
{% macro payload_fields() -%}
    {{ return({
        'name': ['name', 'string'],
        'sport_type': ['sport_type', 'string'],
        'deprecated_type': ['type', 'string'],
        'workout_type': ['workout_type', 'int'],
        'start_at': ['start_date', 'timestamp'],
        'start_at_local': ['start_date_local', 'datetime'],
        'timezone': ['timezone', 'string'],
        'utc_offset_s': ['utc_offset', 'offset'],
        'distance_m': ['distance', 'float'],
        'moving_time_s': ['moving_time', 'int'],
        'elapsed_time_s': ['elapsed_time', 'int'],
        'elevation_gain_m': ['total_elevation_gain', 'float'],
        'elevation_high_m': ['elev_high', 'float'],
        'elevation_low_m': ['elev_low', 'float'],
        'average_speed_mps': ['average_speed', 'float'],
        'max_speed_mps': ['max_speed', 'float'],
        'average_heartrate_bpm': ['average_heartrate', 'float'],
        'max_heartrate_bpm': ['max_heartrate', 'float'],
        'average_cadence_rpm': ['average_cadence', 'float'],
        'average_power_w': ['average_watts', 'float'],
        'weighted_power_w': ['weighted_average_watts', 'float'],
        'max_power_w': ['max_watts', 'float'],
        'is_power_measured': ['device_watts', 'bool'],
        'energy_kj': ['kilojoules', 'float'],
        'calories_kcal': ['calories', 'float'],
        'average_temperature_c': ['average_temp', 'float'],
        'suffer_score': ['suffer_score', 'float'],
        'gear_id': ['gear_id', 'string'],
        'gear_name': ['gear.name', 'string'],
        'device_name': ['device_name', 'string'],
        'start_latitude': ['start_latlng.0', 'coordinate'],
        'start_longitude': ['start_latlng.1', 'coordinate'],
        'end_latitude': ['end_latlng.0', 'coordinate'],
        'end_longitude': ['end_latlng.1', 'coordinate'],
        'is_manual': ['manual', 'bool'],
        'is_trainer': ['trainer', 'bool'],
        'is_commute': ['commute', 'bool'],
        'is_private': ['private', 'bool'],
        'visibility': ['visibility', 'string'],
        'kudos_count': ['kudos_count', 'int'],
        'comment_count': ['comment_count', 'int'],
        'photo_count': ['total_photo_count', 'int'],
        'achievement_count': ['achievement_count', 'int'],
        'pr_count': ['pr_count', 'int'],
        'polyline': ['map.polyline', 'string'],
        'summary_polyline': ['map.summary_polyline', 'string'],
    }) }}
{%- endmacro %}

{% macro effort_fields() -%}
    {{ return(['name', 'distance', 'elapsed_time', 'start_date']) }}
{%- endmacro %}


{#-
  The payload fields of a relation as text columns named as above, and `best_efforts`, an array of structs of text, and
  `is_payload_object`. Nothing here fails, whatever the payload is: what is not there, or is not of that shape, is null.
-#}
{% macro payload_texts(relation) -%}
    {{ return(adapter.dispatch('payload_texts')(relation)) }}
{%- endmacro %}

{#- DuckDB reads the whole payload in one pass; forty single look-ups would take eleven times as long. -#}
{% macro duckdb__payload_texts(relation) -%}
    {%- set shape = {} -%}
    {%- for place, _ in payload_fields().values() -%}
        {%- set steps = place.split('.') -%}
        {%- if steps | length == 1 -%}
            {%- do shape.update({place: 'VARCHAR'}) -%}
        {%- elif steps[1] in '01' -%}
            {%- do shape.update({steps[0]: ['VARCHAR']}) -%}
        {%- else -%}
            {%- do shape.setdefault(steps[0], {}).update({steps[1]: 'VARCHAR'}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set effort = {} -%}
    {%- for field in effort_fields() -%}{%- do effort.update({field: 'VARCHAR'}) -%}{%- endfor -%}
    {%- do shape.update({'best_efforts': [effort]}) -%}
    select
        activity_id,
        {%- for name, (place, _) in payload_fields().items() %}
        {%- set steps = place.split('.') %}
        fields.{{ '"' ~ steps[0] ~ '"' }}
        {%- if steps | length == 2 %}{{ '[' ~ (steps[1] | int + 1) ~ ']' if steps[1] in '01' else '.' ~ steps[1] }}{% endif %} as {{ name }},
        {%- endfor %}
        fields.best_efforts as best_efforts,
        is_payload_object
    from (
        select
            activity_id,
            from_json(document, '{{ tojson(shape) }}') as fields,
            coalesce(json_type(document) = 'OBJECT', false) as is_payload_object
        from (
            select
                activity_id,
                case when json_valid(payload) then cast(payload as json) end as document
            from {{ relation }}
        ) as documents
    ) as parsed
{%- endmacro %}

{% macro bigquery__payload_texts(relation) -%}
    select
        activity_id,
        {%- for name, (place, _) in payload_fields().items() %}
        {%- set path = "'$." ~ place.replace('.0', '[0]').replace('.1', '[1]') ~ "'" %}
        coalesce(json_value(payload, {{ path }}), nullif(to_json_string(json_query(payload, {{ path }})), 'null')) as {{ name }},
        {%- endfor %}
        array(
            select as struct
                {%- for field in effort_fields() %}
                json_value(effort, '$.{{ field }}') as {{ field }}{{ ',' if not loop.last }}
                {%- endfor %}
            from unnest(json_query_array(payload, '$.best_efforts')) as effort
        ) as best_efforts,
        coalesce(json_type(payload) = 'object', false) as is_payload_object
    from {{ relation }}
{%- endmacro %}


{#- A payload text, typed. -#}
{% macro typed(name, type) -%}
    {%- if type == 'string' -%}{{ name }}
    {%- elif type == 'int' -%}{{ as_int(name) }}
    {%- elif type == 'offset' -%}{{ as_offset(name) }}
    {%- elif type == 'float' -%}{{ as_float(name) }}
    {%- elif type == 'coordinate' -%}{{ as_coordinate(name) }}
    {%- elif type == 'bool' -%}{{ as_bool(name) }}
    {%- elif type == 'timestamp' -%}{{ as_timestamp(name) }}
    {%- elif type == 'datetime' -%}{{ as_datetime(name) }}
    {%- endif -%}
{%- endmacro %}
