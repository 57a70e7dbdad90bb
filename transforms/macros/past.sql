{#- Conditions of rows that are never changed: of a past state those that were stored by its moment. -#}
{% macro known_then(column) -%}
    {{ return([column ~ ' <= ' ~ raw_moment(past_moment())] if var('without_later') else []) }}
{%- endmacro %}

{#- The moment of a past state as text, as `raw` in SQLite writes timestamps. -#}
{% macro past_moment() -%}
    {{ return(as_of_moment().strftime('%Y-%m-%dT%H:%M:%S.%fZ')) }}
{%- endmacro %}


{#-
  The stored activities without the edits that were stored after the moment of a past state, as far as the edits are kept. Of several edits of a field the first
  tells what it was. For DuckDB alone: past states are built on one machine.
-#}
{% macro edits_undone(stored) -%}
    later_edits as (
        {{
            raw_rows(
                'activity_changes',
                {
                    'activity_id': 'int64',
                    'field': 'string',
                    'payload': 'json',
                    'ingested_at': 'timestamp',
                },
                conditions=['field is not null', is_after('ingested_at', past_moment())],
            )
        }}
    ),

    first_edits as (
        select
            activity_id,
            field,
            arg_min(cast(payload as json) -> '$.old', ingested_at) as value_before
        from later_edits
        group by activity_id, field
    ),

    before_edits as (
        select
            activity_id,
            json_group_object(field, value_before) as fields_before
        from first_edits
        group by activity_id
    ),

    edits_undone as (
        select
            {{ stored }}.* replace (
                coalesce(cast(json_merge_patch({{ stored }}.payload, before_edits.fields_before) as varchar), {{ stored }}.payload) as payload
            )
        from {{ stored }}
        left join before_edits on {{ stored }}.activity_id = before_edits.activity_id
    )
{%- endmacro %}
