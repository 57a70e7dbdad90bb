{{ config(enabled=target.type != 'bigquery', tags=['measures_only']) }}

{%- set settings = ref('athlete_setting') %}
{%- set changed_streams = ref('int_streams__changed_activities') %}
-- a list is no parent for which a refresh runs a model, and this is
{%- set summary = ref('stream_summary') %}
-- how the last build left them
{%- set settings_before = this.incorporate(path={'identifier': 'athlete_setting_before'}) %}
{%- set loads_before = this.incorporate(path={'identifier': 'int_training__loads'}) %}
{%- set columns = 'athlete_id, setting, sport_group, valid_from, next_valid_from, value, value_text' %}

with changed as (
    select activity_id from {{ ref('base_strava__changed_activities') }}
    union distinct
    select activity_id from {{ changed_streams }}
),

{%- if is_script() %}

before as (
    select
        activity_id,
        athlete_id,
        sport_group,
        day,
        suffer_score
    from {{ loads_before }}
),

other_settings as (
    select distinct
        athlete_id,
        sport_group,
        valid_from,
        next_valid_from
    from (
        (select {{ columns }} from {{ settings }} except select {{ columns }} from {{ settings_before }})
        union all
        (select {{ columns }} from {{ settings_before }} except select {{ columns }} from {{ settings }})
    ) as differing
),

measured as (
    select activity_id from changed
    union distinct
    select before.activity_id
    from before
    inner join other_settings as other
        on
            before.athlete_id = other.athlete_id
            and other.sport_group in ('all', before.sport_group)
            and before.day >= other.valid_from
            and (other.next_valid_from is null or before.day < other.next_valid_from)
),

-- what a point of Strava's score is worth follows from the activities of a year, as they are and as they were
scored as (
    select
        athlete_id,
        min(day) as first_day,
        max(day) as last_day
    from (
        select
            athlete_id,
            {{ load_day() }} as day
        from {{ ref('stg_strava__activities') }}
        where
            suffer_score > 0
            and activity_id in (select activity_id from changed)
        union all
        select
            athlete_id,
            day
        from before
        where
            suffer_score > 0
            and activity_id in (select activity_id from measured)
    ) as days
    group by athlete_id
),

final as (
    select activity_id from measured
    union distinct
    select before.activity_id
    from before
    inner join scored
        on
            before.athlete_id = scored.athlete_id
            and before.day between scored.first_day and {{ days_later('scored.last_day', '364') }}
    where before.suffer_score is not null
    union distinct
    select activity_id from {{ ref('stg_strava__activities') }}
    where
        not {{ is_of_one_build() }}
        or activity_id not in (select activity_id from before)
    union distinct
    select activity_id from before
    where activity_id not in (select activity_id from {{ ref('stg_strava__activities') }})
)
{%- else %}

-- dbt may have ended halfway before, and may do so again
final as (
    select activity_id from changed
    union distinct
    select activity_id from {{ ref('stg_strava__activities') }}
)
{%- endif %}

select * from final
