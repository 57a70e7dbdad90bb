{%- set outcomes = {
    'row': ['new', 'same_id', 'updated', 'skipped', 'unreadable'],
    'file': ['read', 'cut_short', 'same_file', 'skipped', 'failed'],
} -%}
{{ config(cluster_by=['athlete_id']) }}

with imports as (
    select * from {{ ref('stg_archive__imports') }}
),

items as (
    select
        import_id,
        {%- for kind, names in outcomes.items() %}
        sum(case when item_kind = '{{ kind }}' then 1 else 0 end) as {{ kind }}_count,
        {%- for name in names %}
        sum(case when item_kind = '{{ kind }}' and outcome = '{{ name }}' then 1 else 0 end) as {{ kind }}_{{ name }}_count,
        {%- endfor %}
        {%- endfor %}
        sum(case when item_kind = 'file' and matched_by is not null then 1 else 0 end) as matched_file_count,
        sum(case when item_kind = 'problem' then 1 else 0 end) as problem_count
    from {{ ref('stg_archive__import_items') }}
    group by import_id
),

final as (
    select
        imports.athlete_id,
        imports.import_id,
        imports.started_at,
        imports.updated_at,
        imports.finished_at,
        imports.status,
        imports.reason,
        imports.source_name,
        imports.exported_at,
        imports.language,
        {%- for kind, names in outcomes.items() %}
        imports.{{ kind }}_count,
        {%- for name in names %}
        cast(coalesce(items.{{ kind }}_{{ name }}_count, 0) as int64) as {{ kind }}_{{ name }}_count,
        {%- endfor %}
        cast(imports.{{ kind }}_count - coalesce(items.{{ kind }}_count, 0) as int64) as {{ kind }}_open_count,
        {%- endfor %}
        cast(coalesce(items.matched_file_count, 0) as int64) as matched_file_count,
        cast(coalesce(items.problem_count, 0) as int64) as problem_count,
        imports.media_count,
        imports.other_count
    from imports
    left join items on imports.import_id = items.import_id
)

select * from final
