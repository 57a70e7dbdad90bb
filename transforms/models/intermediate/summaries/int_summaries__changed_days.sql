{{ config(enabled=target.type != 'bigquery', tags=['changes']) }}

with changed as (
    {{ changed_days(ref('int_summaries__daily')) }}
),

-- a day of one sport is one of all together, too
final as (
    select * from changed
    union
    select
        athlete_id,
        'all' as sport_group,
        date_day
    from changed
)

select * from final
