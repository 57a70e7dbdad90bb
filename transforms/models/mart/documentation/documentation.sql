-- Written by dbt out of the descriptions of this project; nothing of anybody's data is in it.
with texts as (
    {{ documented_marts() }}
),

final as (
    select
        {{ as_text('sent.model') }} as model,
        coalesce({{ as_text('sent.column_name') }}, '') as column_name,
        {{ as_int('sent.position') }} as position,
        {{ as_text('sent.description') }} as description
    from texts
    {{ each('texts.rows_told', 'sent') }}
)

select * from final
