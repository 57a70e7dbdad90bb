{{ config(enabled=target.type != 'bigquery', tags=['changes']) }}

with final as (
    {{ changed_days(ref('int_records__daily')) }}
)

select * from final
