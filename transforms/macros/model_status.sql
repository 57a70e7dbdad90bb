{#-
  On-run-end: what the tests of each model said last, in `mart.model_status`: one row per model that was tested since the last
  whole build, with the version of its definition (its `meta`). A run may test only some; the others keep their row. It is no model, because what a test says is known after all models.
-#}
{% macro note_tests(results) -%}
    {%- set tested = {} -%}
    {%- for result in results if result.node.resource_type == 'test' and result.node.attached_node in graph.nodes -%}
        {%- set counts = tested.setdefault(graph.nodes[result.node.attached_node].name, {'tests': 0, 'failed': 0}) -%}
        {%- do counts.update(
            tests=counts.tests + 1, failed=counts.failed + (1 if result.status in ['fail', 'error', 'runtime error'] else 0)
        ) -%}
    {%- endfor -%}
    {%- if execute and (tested or flags.FULL_REFRESH) -%}
        {%- set database = (graph.nodes.values() | selectattr('name', 'equalto', 'fct_activities') | first).database -%}
        {%- set before = adapter.get_relation(database, 'mart', 'model_status') -%}
        {%- set status = api.Relation.create(database=database, schema='mart', identifier='model_status') -%}
        {%- if not tested %}drop table if exists {{ status }}{% else %}
        create or replace table {{ status }} as
        select
            model,
            cast(
                case model
                    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.definition_version %}
                    when '{{ node.name }}' then {{ node.config.meta.definition_version }}
                    {%- endfor %}
                end as int64
            ) as definition_version,
            test_count,
            failed_count,
            tested_at
        from (
        {%- for model, counts in tested.items() %}
        select
            '{{ model }}' as model,
            cast({{ counts.tests }} as int64) as test_count,
            cast({{ counts.failed }} as int64) as failed_count,
            {{ as_of() }} as tested_at
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
        {%- if before and not flags.FULL_REFRESH %}
        union all
        select model, test_count, failed_count, tested_at from {{ before }}
        where model not in ('{{ tested | join("', '") }}')
        {%- endif %}
        ) as status
        {%- endif %}
    {%- endif -%}
{%- endmacro %}
