{% set definition_version = 1 %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['athlete_id', 'sport_group', 'unit', 'period', 'counts_virtual'],
        on_schema_change='fail',
        pre_hook="{{ forget_lives() }}",
        cluster_by=['athlete_id', 'sport_group'],
        meta={'definition_version': definition_version},
    )
}}

with lives as (
    select * from {{ ref('int_records__lives') }}
    where {{ is_wanted_life() }}
),

steps as (
    select * from {{ ref('eddington_step') }}
),

numbers as (
    select
        lives.athlete_id,
        lives.sport_group,
        lives.unit,
        lives.period,
        lives.counts_virtual,
        lives.longest_day,
        coalesce(max(case when steps.days_needed = 0 then steps.n end), 0) as eddington_number
    from lives
    left join steps
        on
            lives.athlete_id = steps.athlete_id
            and lives.sport_group = steps.sport_group
            and lives.unit = steps.unit
            and lives.period = steps.period
            and lives.counts_virtual = steps.counts_virtual
    group by lives.athlete_id, lives.sport_group, lives.unit, lives.period, lives.counts_virtual, lives.longest_day
),

final as (
    select
        numbers.athlete_id,
        numbers.sport_group,
        numbers.unit,
        numbers.period,
        numbers.counts_virtual,
        numbers.eddington_number,
        numbers.eddington_number + 1 as next_number,
        coalesce(steps.days_at_least, 0) as days_at_next,
        coalesce(steps.days_needed, numbers.eddington_number + 1) as days_needed_next,
        numbers.longest_day,
        cast({{ definition_version }} as int64) as definition_version
    from numbers
    left join steps
        on
            numbers.athlete_id = steps.athlete_id
            and numbers.sport_group = steps.sport_group
            and numbers.unit = steps.unit
            and numbers.period = steps.period
            and numbers.counts_virtual = steps.counts_virtual
            and numbers.eddington_number + 1 = steps.n
)

select * from final
