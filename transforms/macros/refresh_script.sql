{#-
  A refresh on one machine runs statements that dbt wrote once for this version of the project. `dbt run` with the var `as_script` builds
  nothing: each model's materialization renders its statements of an incremental build, with its hooks, and tells them as its message.

  What only a refresh knows stands in them as `<<name:argument>>`; `worker/dbt_runner/statements.py` puts it in:
    <<as_of:30>>                  the moment of the refresh, 30 days before it
    <<now:>>                      the moment at which the statement runs
    <<alone:>>                    whether all tables are of one build
    <<changed:some_table activity_id>>  whether the column is the id of an activity that changed, by a table of these
    <<part:some_table activity_id>>     the same of a part of these activities, of which fifty have curves: the statement runs
                                  for each part
    <<newest:"staging"."events">> the newest `ingested_at` of a table
-#}
{% macro is_script() -%}
    {{ return(var('as_script')) }}
{%- endmacro %}


{% materialization table, adapter='duckdb' %}
    {%- if not is_script() -%}
        {{ return(built_in_place()) }}
    {%- endif -%}
    {%- set built -%}
        create or replace table {{ this.incorporate(path={'identifier': this.identifier ~ '__new'}) }} as
        {% if config.get('contract').enforced %}{{ get_select_subquery(sql) }}{% else %}{{ sql }}{% endif %}
    {%- endset -%}
    {{ return(told([built], table=this.schema ~ '.' ~ this.identifier)) }}
{% endmaterialization %}


{% materialization incremental, adapter='duckdb' %}
    {%- if not is_script() and is_incremental() -%}
        {{ return(dbt.materialization_incremental_duckdb()) }}
    {%- elif not is_script() -%}
        {{ return(built_in_place()) }}
    {%- endif -%}
    {%- set forgets = render(pre_hooks[0].sql).strip() if pre_hooks else '' -%}
    {%- set forgotten = 'delete from ' ~ this ~ ' as kept where ' -%}
    {%- if forgets.startswith(forgotten) -%}
        {#- What belonged to activities or days that changed goes, and of others nothing is selected. -#}
        {%- set rows = sql | replace('<<changed:', '<<part:') if reads_curves() else sql -%}
        {%- set where = forgets | replace(forgotten, '') -%}
        {%- set labels = config.get('meta', {}).get('labels', []) -%}
        {{ return(told([], replaced={'table': this | string, 'where': where, 'rows': rows, 'labels': labels})) }}
    {%- endif -%}
    {%- set key = config.get('unique_key') -%}
    {%- set keys = [key] if key is string else key -%}
    {%- set rows = this.identifier ~ '__new' -%}
    {{ return(told([
        'create or replace temporary table ' ~ rows ~ ' as ' ~ sql,
        'delete from ' ~ this ~ ' where (' ~ keys | join(', ') ~ ') in (select ' ~ keys | join(', ') ~ ' from ' ~ rows ~ ')',
        'insert into ' ~ this ~ ' by name select * from ' ~ rows,
        'drop table ' ~ rows,
    ])) }}
{% endmaterialization %}


{#- Builds a table where the old one was, in one transaction. dbt's own way builds it beside the old one and then renames both, for readers
    that look meanwhile: here these have a copy of the file, and renaming took a third of a build. -#}
{% macro built_in_place() -%}
    {%- set old = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {% if old %}drop {{ old.type }} {{ old }};{% endif %}
        {%- for part in parts_of(compiled_code) %}
        {{ create_table_as(false, this, part) if loop.first else 'insert into ' ~ this ~ ' by name ' ~ part }};
        {%- endfor %}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{%- endmacro %}


{#- Whether a model reads recorded curves, which it does activity by activity. Of all activities at once they would not fit into the memory of
    a small machine, so its statement runs for fifty of them at a time. -#}
{% macro reads_curves() -%}
    {{ return(modules.re.search("[.](strava_streams|stg_strava__streams|int_streams__samples)'", model.depends_on.nodes | string) is not none) }}
{%- endmacro %}

{#- The query of a full build, or one for each part: there `is_changed` leaves a place for the part's activities. -#}
{% macro parts_of(sql) -%}
    {%- if not (reads_curves() and 'part by' in sql) -%}
        {{ return([sql]) }}
    {%- endif -%}
    {%- set of_all = 'select activity_id from strava_streams union select activity_id from activity_files' -%}
    {%- set placed = 'select activity_id, row_number() over (order by activity_id) as place from (' ~ of_all ~ ')' -%}
    {%- set first_of_parts = 'select activity_id from (' ~ placed ~ ') where place % 50 = 0' -%}
    {%- set firsts = run_query("from sqlite_query('raw', '" ~ first_of_parts ~ "')").columns[0].values() -%}
    {%- set parts = [] -%}
    {%- for first in [none] + firsts | list -%}
        {%- set bounds = ['true'] -%}
        {%- do bounds.append('\\1 >= ' ~ first) if not loop.first -%}
        {%- do bounds.append('\\1 < ' ~ loop.nextitem) if not loop.last -%}
        {%- do parts.append(modules.re.sub('true /. part by (\\S+) ./', bounds | join(' and '), sql)) -%}
    {%- endfor -%}
    {{ return(parts) }}
{%- endmacro %}


{#- Tells a model's statements, in order and between its hooks, and those that wait until every model is built. A `table` is replaced only by
    one that differs, so its statement makes another beside it; so are rows that are `replaced`, of which a hook says which they are. -#}
{% macro told(statements, table=none, replaced=none) -%}
    {%- set hooked = [] -%}
    {%- for hook in pre_hooks if not replaced -%}{%- do hooked.append(render(hook.sql)) -%}{%- endfor -%}
    {%- do hooked.extend(statements) -%}
    {%- for hook in post_hooks -%}{%- do hooked.append(render(hook.sql)) -%}{%- endfor -%}
    {%- set last = {
        'base_strava__changed_activities': moved_watermark(this, false),
        'int_training__changed_loads': kept_state(this),
        'int_summaries__touched_days': kept_state(this),
        'int_pipeline__build': stamped_build(this, '<<now:>>'),
        'int_summaries__changed_days': kept_state(this),
        'int_records__changed_days': kept_state(this),
        'int_streams__changed_activities': kept_state(this),
    } -%}
    {%- set text = tojson({'statements': hooked, 'table': table, 'replaced': replaced, 'last': last.get(model.name)}) -%}
    {%- call noop_statement('main', text) -%}{%- endcall -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{%- endmacro %}


{#- A list that tells what to build again: none on a full build, in unit tests, which then need not state it, and on BigQuery. -#}
{% macro of_refreshes(name) -%}
    {%- if target.type != 'bigquery' and (is_script() or is_incremental() or not execute) -%}
        {{ return(ref(name)) }}
    {%- endif -%}
{%- endmacro %}


{#- Whether all tables are of one build: so it is after a whole run of dbt and after each refresh, until dbt runs again, which may end halfway. -#}
{% macro is_of_one_build() -%}
    {%- if is_script() -%}
        {{ return('<<alone:>>') }}
    {%- endif -%}
    exists (select 1 from duckdb_tables() where database_name = current_database() and table_name = 'refreshed')
{%- endmacro %}


{#- On-run-start: if this run ends halfway, what reads its tables is behind them; so the next refresh builds all that comes of a change. -#}
{% macro note_dbt_run() -%}
    {%- if target.type == 'duckdb' and not is_script() -%}
        drop table if exists {{ target.database }}.staging.refreshed
    {%- endif -%}
{%- endmacro %}

{#- On-run-end: what has built every model has left none behind. -#}
{% macro note_whole_run(results) -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node') | map(attribute='unique_id') | list -%}
    {%- set models = graph.get('nodes', {}).values() | selectattr('resource_type', 'equalto', 'model') | map(attribute='unique_id') -%}
    {%- if target.type == 'duckdb' and not is_script() and models | reject('in', built) | list | length == 0 -%}
        create or replace table {{ target.database }}.staging.refreshed as
        select true as is_alone
    {%- endif -%}
{%- endmacro %}
