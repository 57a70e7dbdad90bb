{% set definition_version = 1 %}
{{ config(cluster_by=['athlete_id', 'sport_group', 'period_kind'], meta={'definition_version': definition_version}) }}

with runs as (
    select * from {{ ref('streak_run') }}
),

placed as (
    select
        *,
        row_number() over (
            partition by athlete_id, sport_group, period_kind, period
            order by length desc, start_date asc
        ) as place
    from runs
),

final as (
    select
        longest.athlete_id,
        longest.sport_group,
        longest.period_kind,
        longest.period,
        coalesce(running.length, 0) as current_length,
        running.start_date as current_start_date,
        coalesce(running.is_at_risk, false) as is_at_risk,
        longest.length as longest_length,
        longest.start_date as longest_start_date,
        longest.end_date as longest_end_date,
        cast({{ definition_version }} as int64) as definition_version
    from placed as longest
    left join runs as running
        on
            longest.athlete_id = running.athlete_id
            and longest.sport_group = running.sport_group
            and longest.period_kind = running.period_kind
            and longest.period = running.period
            and running.is_current
    where longest.place = 1
)

select * from final
