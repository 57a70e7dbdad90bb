{#- The newest value of a timestamp column of this model, as `raw` in SQLite writes timestamps; none when it is empty. -#}
{% macro newest_in_this(column) -%}
    {%- set answer = run_query("select strftime(max(" ~ column ~ "), '%Y-%m-%dT%H:%M:%S.%fZ') from " ~ this) -%}
    {{ return(answer.columns[0].values()[0] if execute else none) }}
{%- endmacro %}


{#- The newest `ingested_at` that this model is sure to have seen in full, as SQL. -#}
{% macro seen_until(column='ingested_at') -%}
    {{ return(adapter.dispatch('seen_until')(column)) }}
{%- endmacro %}

{% macro duckdb__seen_until(column) -%}
    (select coalesce(max({{ column }}), cast('1970-01-01' as timestamp)) from {{ this }})
{%- endmacro %}

{#- Batches may commit out of order: what came shortly before is read again, and replaced by its key. -#}
{% macro bigquery__seen_until(column) -%}
    (
        select timestamp_sub(coalesce(max({{ column }}), cast('1970-01-01' as timestamp)), interval 10 minute)
        from {{ this }}
    )
{%- endmacro %}


{#- Rows of a staged model that changed since this model last saw it; every row on a full build. -#}
{% macro changed_since_last_build() -%}
    {{ 'ingested_at > ' ~ seen_until() if is_incremental() else 'true' }}
{%- endmacro %}


{#-
  Pre-hook of models that hang on an activity: what belonged to a changed or deleted activity goes first, so that nothing of
  the old version survives. Running twice is harmless: the same rows are read again and replaced by their key.
-#}
{% macro forget_changed_activities() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where activity_id in (
            select activity_id from {{ ref('base_strava__activities') }} where {{ changed_since_last_build() }}
        )
    {%- endif -%}
{%- endmacro %}
