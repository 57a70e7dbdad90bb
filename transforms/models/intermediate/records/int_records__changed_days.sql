{{ config(enabled=target.type != 'bigquery') }}

with final as (
    {{ changed_days(ref('int_records__daily')) }}
)

select * from final
