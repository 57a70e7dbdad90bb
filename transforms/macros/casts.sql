{#-
  Casts that never fail: Strava's fields come as text out of the payload, whatever they were; what cannot be read is null.
  Integers may have been sent as floats (and the other way round); infinities are no measurement.
-#}
{% macro as_float(text) -%}
    {{ return(adapter.dispatch('as_float')(text)) }}
{%- endmacro %}

{% macro duckdb__as_float(text) -%}
    case when isfinite(try_cast({{ text }} as double)) then try_cast({{ text }} as double) end
{%- endmacro %}

{% macro bigquery__as_float(text) -%}
    if(is_inf(safe_cast({{ text }} as float64)) or is_nan(safe_cast({{ text }} as float64)), null, safe_cast({{ text }} as float64))
{%- endmacro %}


{% macro as_int(text) -%}
    {{ return(adapter.dispatch('as_int')(text)) }}
{%- endmacro %}

{% macro duckdb__as_int(text) -%}
    try_cast(round(try_cast({{ text }} as double)) as bigint)
{%- endmacro %}

{% macro bigquery__as_int(text) -%}
    safe_cast(round(safe_cast({{ text }} as float64)) as int64)
{%- endmacro %}


{% macro as_bool(text) -%}
    case {{ text }} when 'true' then true when 'false' then false end
{%- endmacro %}


{#- A moment in UTC. Years that no activity can have had are unreadable: they would stretch every calendar. -#}
{% macro as_timestamp(text) -%}
    {{ return(adapter.dispatch('as_timestamp')(text)) }}
{%- endmacro %}

{% macro duckdb__as_timestamp(text) -%}
    case
        when try_cast({{ text }} as timestamp) between timestamp '1950-01-01' and timestamp '2100-01-01'
            then try_cast({{ text }} as timestamp)
    end
{%- endmacro %}

{% macro bigquery__as_timestamp(text) -%}
    case
        when safe_cast({{ text }} as timestamp) between timestamp '1950-01-01' and timestamp '2100-01-01'
            then safe_cast({{ text }} as timestamp)
    end
{%- endmacro %}


{#- Wall-clock time without a zone. Strava writes it with a Z that is not true. -#}
{% macro as_datetime(text) -%}
    {{ return(adapter.dispatch('as_datetime')(text)) }}
{%- endmacro %}

{% macro duckdb__as_datetime(text) -%}
    {{ duckdb__as_timestamp(text) }}
{%- endmacro %}

{% macro bigquery__as_datetime(text) -%}
    datetime({{ bigquery__as_timestamp(text) }})
{%- endmacro %}
