{#-
  Marts of days, of which a change touches few. On DuckDB a refresh removes what a changed day has a part in, and builds what is missing.
  On BigQuery they are small tables, and built whole.

  Which days have changed is told by comparing them with how the last complete build left them, in a table `…_before`. So all that changed
  them is seen: an activity, a load that follows settings, a day that has begun or is no more. A build that stops halfway leaves that
  table as it was.
-#}
{% macro built_in_parts() -%}
    {{ return('table' if target.type == 'bigquery' else 'incremental') }}
{%- endmacro %}


{#- The days that differ from before; all on the first build and on a full one. -#}
{% macro changed_days(days) -%}
    {%- set before = before_of(days) -%}
    {%- if execute and not flags.FULL_REFRESH and adapter.get_relation(before.database, before.schema, before.identifier) %}
    select
        coalesce(now.athlete_id, before.athlete_id) as athlete_id,
        coalesce(now.sport_group, before.sport_group) as sport_group,
        coalesce(now.date_day, before.date_day) as date_day
    from {{ days }} as now
    full join {{ before }} as before
        on
            now.athlete_id = before.athlete_id
            and now.sport_group = before.sport_group
            and now.date_day = before.date_day
    where now is distinct from before
    {%- else %}
    select
        athlete_id,
        sport_group,
        date_day
    from {{ days }}
    {%- endif %}
{%- endmacro %}

{% macro before_of(days) -%}
    {{ return(days.incorporate(path={'identifier': days.identifier ~ '_before'})) }}
{%- endmacro %}


{#- Pre-hook: what changed days have a part in goes. The condition names a row as `kept`, and the first and last changed day of its
    athlete and sport group as `changed.first_day` and `changed.last_day`. -#}
{% macro forget_rows_of_days(condition='true') -%}
    {%- if target.type != 'bigquery' -%}
        {%- set changed = ref('int_summaries__changed_days') -%}
        {%- if is_incremental() -%}
            delete from {{ this }} as kept
            using (
                select
                    athlete_id,
                    sport_group,
                    min(date_day) as first_day,
                    max(date_day) as last_day
                from {{ changed }}
                group by athlete_id, sport_group
            ) as changed
            where
                kept.athlete_id = changed.athlete_id
                and kept.sport_group = changed.sport_group
                and {{ condition }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#- Of each athlete and sport group the first day, and from which to which day this model has no rows; all of them on a full build. The
    condition chooses one row a day, `kept`, of this model. -#}
{% macro missing_days(days, condition='true') -%}
    {%- set day = 'case when kept.date_day is null then days.date_day end' if is_incremental() else 'days.date_day' -%}
    select
        days.athlete_id,
        days.sport_group,
        min(days.date_day) as first_day,
        min({{ day }}) as from_day,
        max({{ day }}) as to_day
    from {{ days }} as days
    {%- if is_incremental() %}
    left join {{ this }} as kept
        on
            days.athlete_id = kept.athlete_id
            and days.sport_group = kept.sport_group
            and days.date_day = kept.date_day
            and {{ condition }}
    {%- endif %}
    group by days.athlete_id, days.sport_group
{%- endmacro %}


{#- Whether this model has no row with these columns; always on a full build. -#}
{% macro is_missing(columns) -%}
    {{ '(' ~ columns ~ ') not in (select ' ~ columns ~ ' from ' ~ this ~ ')' if is_incremental() else 'true' }}
{%- endmacro %}


{#- On-run-end: keeps the days, or what streams are seen by, as they are, once every model that asks which have changed has been built. -#}
{% macro keep_days(results, name) -%}
    {%- set changed = graph.get('nodes', {}).values() | selectattr('name', 'equalto', name) | list -%}
    {%- for node in changed if not is_script() -%}
        {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node') | map(attribute='unique_id') | list -%}
        {%- set wanted = [node.unique_id] -%}
        {%- for each in graph.nodes.values() if node.unique_id in each.depends_on.nodes and each.resource_type == 'model' -%}
            {%- do wanted.append(each.unique_id) -%}
        {%- endfor -%}
        {%- if wanted | reject('in', built) | list | length == 0 -%}
            {{ kept_days(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro kept_days(changed) -%}
    {%- set kept = changed.identifier | replace('changed_days', 'daily') | replace('changed_activities', 'inputs') -%}
    {%- set days = changed.incorporate(path={'identifier': kept}) -%}
    create or replace table {{ before_of(days) }} as
    select * from {{ days }}
{%- endmacro %}
