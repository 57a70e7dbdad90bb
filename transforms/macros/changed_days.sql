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


{#-
  Sums of days. Of which days an activity changed is known by the activities themselves, as they are and as they were: see
  `int_summaries__touched_days`. A refresh makes the rows of these again, a run of dbt and a refresh after one that ended halfway all.
  So it does with the days of which an activity may have been dated in the future when that list was made last, as `staging.counted_until`
  keeps, or is now, wherever it was.
-#}
{#- Whether something of a day, or of the week, month or year that begins with it, may be other than in the last build; always on a full one,
    and in a run of dbt. -#}
{% macro is_touched_day(day='date_day', period=none) -%}
    {%- set days = of_refreshes('int_summaries__touched_days') -%}
    {%- set touched = period_start(period, 'date_day') if period else 'date_day' -%}
    {%- set first_open = '(select least(date_day, cast(' ~ as_of() ~ ' as date)) - 1 as date_day from staging.counted_until)' -%}
    {%- set conditions = [
        '(athlete_id, ' ~ day ~ ') in (select athlete_id, ' ~ touched ~ ' from ' ~ days ~ ')',
        day ~ ' >= (select ' ~ touched ~ ' from ' ~ first_open ~ ' as open)',
        'not ' ~ is_of_one_build(),
    ] -%}
    {{ return('(' ~ conditions | join(' or ') ~ ')' if is_script() else 'true') }}
{%- endmacro %}

{#- Pre-hook: what is of such weeks, months or years goes. -#}
{% macro forget_touched_periods(periods) -%}
    {%- set conditions = [] -%}
    {%- for period in periods -%}
        {%- do conditions.append("period_kind = '" ~ period ~ "' and " ~ is_touched_day('period_start_date', period)) -%}
    {%- endfor -%}
    {{ return(forgotten_where(conditions | join(' or '))) }}
{%- endmacro %}

{#- Post-hook of `int_summaries__daily`: days before an athlete's first activity, and of sports without any, are no more. -#}
{% macro forget_days_without_activities() -%}
    {%- if is_incremental() and target.type != 'bigquery' -%}
        delete from {{ this }} as kept
        where
            (kept.athlete_id, kept.sport_group) not in (select athlete_id, sport_group from {{ this }} where activity_count > 0)
            or kept.date_day < (
                select min(counted.date_day) from {{ this }} as counted
                where counted.athlete_id = kept.athlete_id and counted.activity_count > 0
            )
    {%- endif -%}
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


{#- Whether a day differs from before; always on the first build and on a full one. -#}
{% macro is_changed_day() -%}
    {%- set changed = of_refreshes('int_summaries__changed_days') -%}
    {{ return(is_day_of(changed) if is_incremental() else 'true') }}
{%- endmacro %}

{% macro is_day_of(days) -%}
    {{ return('(athlete_id, sport_group, date_day) in (select athlete_id, sport_group, date_day from ' ~ days ~ ')') }}
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


{#- On-run-end: keeps what such a list is made by as it is, once every model that asks which have changed has been built. -#}
{% macro keep_state(results, name) -%}
    {%- set changed = graph.get('nodes', {}).values() | selectattr('name', 'equalto', name) | list -%}
    {%- for node in changed if not is_script() -%}
        {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node') | map(attribute='unique_id') | list -%}
        {%- set wanted = [node.unique_id] -%}
        {%- for each in graph.nodes.values() if node.unique_id in each.depends_on.nodes and each.resource_type == 'model' -%}
            {%- do wanted.append(each.unique_id) -%}
        {%- endfor -%}
        {%- if wanted | reject('in', built) | list | length == 0 -%}
            {{ kept_state(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro kept_state(changed) -%}
    {%- if changed.identifier == 'int_summaries__touched_days' -%}
        create or replace table {{ changed.incorporate(path={'identifier': 'counted_until'}) }} as
        select cast({{ as_of() }} as date) as date_day
    {%- else -%}
        {%- set kept = {
            'int_streams__changed_activities': {'identifier': 'int_streams__inputs'},
            'int_training__changed_loads': {'schema': 'mart', 'identifier': 'athlete_setting'},
        }.get(changed.identifier, {'identifier': changed.identifier | replace('changed_days', 'daily')}) -%}
        {%- set before = before_of(changed.incorporate(path={'identifier': kept.identifier})) -%}
        {%- if is_script() and changed.identifier.endswith('changed_days') -%}
            delete from {{ before }} where {{ is_day_of(changed) }};
            insert into {{ before }} select * from {{ changed.incorporate(path=kept) }} where {{ is_day_of(changed) }}
        {%- else -%}
            create or replace table {{ before }} as
            select * from {{ changed.incorporate(path=kept) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
