{#-
  What an incremental build looks at. Which activities changed is found once, by `base_strava__changed_activities`; every model that hangs
  on an activity then reads, deletes and merges just these, by their ids as literals: no table is searched for what is new, and a
  model that is empty, or has nothing of the newest activities, reads no more than the others.

  The watermark is how far the last complete build saw `raw`. A build that stops halfway leaves it, so the next one finds the same
  activities again. Reading one twice is harmless: its rows are deleted and replaced.
-#}
{#- Whether a row belongs to an activity that changed; always on a full build. -#}
{% macro is_changed(column='activity_id') -%}
    {{ return(is_one_of(ref('base_strava__changed_activities'), column)) }}
{%- endmacro %}

{#- The same for what is built of the athlete's own files alone, and only when these changed. -#}
{% macro is_changed_by_files(column='activity_id') -%}
    {{ return(is_one_of(ref('base_archive__changed_activities'), column)) }}
{%- endmacro %}

{#- Whether a changed activity is on either side of a pair. -#}
{% macro is_touched(table) -%}
    {%- set changed = is_changed(table ~ '.activity_id') -%}
    ({{ changed }} or {{ changed | replace('.activity_id', '.other_activity_id') }})
{%- endmacro %}

{% macro is_one_of(changed, column) -%}
    {%- if not is_incremental() -%}
        {{ return('true' if target.type == 'bigquery' else '(true /* part by ' ~ column ~ ' */)') }}
    {%- endif -%}
    {%- if is_script() -%}
        {{ return('<<changed:' ~ changed.identifier ~ ' ' ~ column ~ '>>') }}
    {%- endif -%}
    {%- set most = 5000 -%}
    {%- set ids = run_query('select activity_id from ' ~ changed ~ ' order by activity_id limit ' ~ (most + 1)).columns[0].values() -%}
    {%- if ids | length > most -%}
        {#- too many for a list: everything between the first and the last is built again -#}
        {%- set ends = run_query('select min(activity_id) as first_id, max(activity_id) as last_id from ' ~ changed).rows[0] -%}
        {{ return(column ~ ' between ' ~ ends[0] | int ~ ' and ' ~ ends[1] | int) }}
    {%- endif -%}
    {{ return(column ~ ' in (' ~ ids | map('int') | join(', ') ~ ')' if ids else 'false') }}
{%- endmacro %}


{#- Columns of an activity that no number is made of. Models with the tag `measures_only` read none of them, so that a refresh leaves them out
    where an edit changed nothing else. -#}
{% macro labels() -%}
    {{ return([
        'name', 'device_name', 'kudos_count', 'comment_count', 'photo_count', 'achievement_count', 'pr_count', 'resource_state', 'source',
        'ingested_at',
    ]) }}
{%- endmacro %}


{#- Pre-hook: what belonged to a changed or deleted activity goes first, so that nothing of its old version survives. On BigQuery the
    merge does this. -#}
{% macro forget_changed_activities() -%}
    {{ return(forgotten_where(is_changed())) }}
{%- endmacro %}

{% macro forget_what_files_changed() -%}
    {{ return(forgotten_where(is_changed_by_files())) }}
{%- endmacro %}

{% macro forgotten_where(changed) -%}
    {%- set condition = changed if target.type != 'bigquery' else 'false' -%}
    {%- if is_incremental() and condition != 'false' -%}
        delete from {{ this }} as kept where {{ condition }}
    {%- endif -%}
{%- endmacro %}


{#- Whether a row of a ledger, to which rows are only added, came since this model was last built; always on a full build. -#}
{% macro is_new(column='ingested_at') -%}
    {{ return(is_after(column, newest_moment(this, 'ingested_at')) if is_incremental() else 'true') }}
{%- endmacro %}


{#- How far the last complete build saw `raw`, as text; none before the first one and on a full build. -#}
{% macro watermark() -%}
    {%- set relation = adapter.get_relation(this.database, this.schema, 'build_watermark') if execute else none -%}
    {{ return(newest_moment(relation, 'ingested_at') if relation and not flags.FULL_REFRESH else none) }}
{%- endmacro %}


{#- On-run-end: moves the watermark on, once every model that looks at what changed has been built from it. -#}
{% macro move_watermark(results) -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node') | map(attribute='name') | list -%}
    {%- set wanted = ['base_strava__changed_activities'] -%}
    {%- for node in graph.get('nodes', {}).values() if node.resource_type == 'model' -%}
        {%- for ids in ['base_strava__changed_activities', 'int_streams__changed_activities'] -%}
            {%- do wanted.append(node.name) if 'model.' ~ project_name ~ '.' ~ ids in node.depends_on.nodes -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if not is_script() and wanted | reject('in', built) | list | length == 0 -%}
        {%- set node = graph.nodes.values() | selectattr('name', 'equalto', 'base_strava__changed_activities') | first -%}
        {%- set changed = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
        {{ moved_watermark(changed, flags.FULL_REFRESH or not adapter.get_relation(node.database, node.schema, 'build_watermark')) }}
    {%- endif -%}
{%- endmacro %}

{% macro moved_watermark(changed, is_first) -%}
    {%- set mark = changed.incorporate(path={'identifier': 'build_watermark'}) -%}
    {%- set moved -%}
        create or replace table {{ mark }} as
        select max(ingested_at) as ingested_at
        from (
            select ingested_at from {{ changed }}
            {%- if not is_first %}
            union all
            select ingested_at from {{ mark }}
            {%- endif %}
        ) as seen
    {%- endset -%}
    {{ return(moved) }}
{%- endmacro %}


{#- The newest value of a timestamp column, as `raw` in SQLite writes timestamps; none when the table is empty. -#}
{% macro newest_moment(relation, column) -%}
    {%- if is_script() -%}
        {{ return('<<newest:' ~ relation ~ '>>') }}
    {%- endif -%}
    {{ return(run_query(adapter.dispatch('newest_moment')(relation, column)).columns[0].values()[0]) }}
{%- endmacro %}

{% macro duckdb__newest_moment(relation, column) -%}
    select strftime(max({{ column }}), '%Y-%m-%dT%H:%M:%S.%fZ') as newest from {{ relation }}
{%- endmacro %}

{#- Batches may commit out of order: what came shortly before is read again, and replaced by its key. -#}
{% macro bigquery__newest_moment(relation, column) -%}
    select format_timestamp('%Y-%m-%dT%H:%M:%E6SZ', timestamp_sub(max({{ column }}), interval 10 minute)) as newest
    from {{ relation }}
{%- endmacro %}


{#- Config `incremental_predicates`: which rows a merge on BigQuery replaces, as a call that makes literals; every incremental model
    has them. DuckDB deletes by key or by the hook, and needs none. -#}
{% macro merged_where(call) -%}
    {{ return(['{{ ' ~ call ~ ' }}'] if target.type == 'bigquery' else none) }}
{%- endmacro %}

{#- How BigQuery merges: what the predicates name goes, and what was built takes its place, in one statement, so that readers see no
    gap. The predicates become literals as late as this: only these keep BigQuery from reading the whole table.
    https://cloud.google.com/bigquery/docs/using-dml-with-partitioned-tables#pruning_partitions_when_using_a_merge_statement -#}
{% macro bigquery__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set literals = [] -%}
    {%- for predicate in incremental_predicates -%}{%- do literals.append(render(predicate)) -%}{%- endfor -%}
    {{ return(dbt.default__get_insert_overwrite_merge_sql(target, source, dest_columns, literals, false)) }}
{%- endmacro %}
