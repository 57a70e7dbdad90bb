{#-
  Casts that never fail: Strava's fields come as text out of the payload; what cannot be read is null.
  Integers may have been sent as floats (and the other way round). Beyond a million million, or as close to zero, nothing is a
  measurement; within, no square, quotient or sum in the marts leaves its type.
-#}
{% macro as_float(text) -%}
    {{ return(adapter.dispatch('as_float')(text)) }}
{%- endmacro %}

{% macro duckdb__as_float(text) -%}
    case
        when try_cast({{ text }} as double) = 0 or abs(try_cast({{ text }} as double)) between 1e-12 and 1e12
            then try_cast({{ text }} as double)
    end
{%- endmacro %}

{% macro bigquery__as_float(text) -%}
    case
        when safe_cast({{ text }} as float64) = 0 or abs(safe_cast({{ text }} as float64)) between 1e-12 and 1e12
            then safe_cast({{ text }} as float64)
    end
{%- endmacro %}


{#- A number as the 64-bit float that every measurement is. -#}
{% macro as_double(number) -%}
    cast({{ number }} as {{ 'float64' if target.type == 'bigquery' else 'double' }})
{%- endmacro %}


{% macro as_int(text) -%}
    cast(round({{ as_float(text) }}) as int64)
{%- endmacro %}


{#- Words; null where there are none. -#}
{% macro as_text(text) -%}
    nullif({{ text }}, '')
{%- endmacro %}


{#- A number that Strava gave a thing: exact however large, and never rounded. -#}
{% macro as_id(text) -%}
    {{ return(adapter.dispatch('as_id')(text)) }}
{%- endmacro %}

{% macro duckdb__as_id(text) -%}
    case when regexp_full_match({{ text }}, '[0-9]{1,18}') then try_cast({{ text }} as bigint) end
{%- endmacro %}

{% macro bigquery__as_id(text) -%}
    case when regexp_contains({{ text }}, r'^[0-9]{1,18}$') then safe_cast({{ text }} as int64) end
{%- endmacro %}


{#- Seconds east of UTC: no place on earth is a day away. -#}
{% macro as_offset(text) -%}
    case when {{ as_int(text) }} between -86400 and 86400 then {{ as_int(text) }} end
{%- endmacro %}


{#- A part of a place. Half a place is none, and so is one that is not on the globe: both parts are read, or neither. -#}
{% macro as_latitude(latitude, longitude) -%}
    case when {{ is_on_globe(latitude, longitude) }} then {{ as_float(latitude) }} end
{%- endmacro %}

{% macro as_longitude(latitude, longitude) -%}
    case when {{ is_on_globe(latitude, longitude) }} then {{ as_float(longitude) }} end
{%- endmacro %}

{% macro is_on_globe(latitude, longitude) -%}
    {{ as_float(latitude) }} between -90 and 90 and {{ as_float(longitude) }} between -180 and 180
{%- endmacro %}


{% macro as_bool(text) -%}
    case {{ text }} when 'true' then true when 'false' then false end
{%- endmacro %}


{#- A moment in UTC. Years that no activity can have had are unreadable: they would stretch every calendar. -#}
{% macro as_timestamp(text) -%}
    {{ return(adapter.dispatch('as_timestamp')(text)) }}
{%- endmacro %}

{#- DuckDB's `timestamp` would leave out an offset that the text has. -#}
{% macro duckdb__as_timestamp(text) -%}
    {%- set moment = "timezone('UTC', try_cast(" ~ text ~ " as timestamptz))" -%}
    case when {{ moment }} between timestamp '1950-01-01' and timestamp '2100-01-01' then {{ moment }} end
{%- endmacro %}

{% macro bigquery__as_timestamp(text) -%}
    case
        when safe_cast({{ text }} as timestamp) between timestamp '1950-01-01' and timestamp '2100-01-01'
            then safe_cast({{ text }} as timestamp)
    end
{%- endmacro %}


{#- Wall-clock time as written. Strava writes it with a Z that is not true; neither that nor an offset moves the clock. -#}
{% macro as_datetime(text) -%}
    {%- set clock = "regexp_replace(" ~ text ~ ", '(Z|[+-][0-9][0-9]:?[0-9][0-9])$', '')" -%}
    cast({{ as_timestamp(clock) }} as datetime)
{%- endmacro %}
