{% set definition_version = 3 %}
{{ config(cluster_by=['athlete_id', 'setting'], meta={'definition_version': definition_version}, tags=['measures_only']) }}

{% set beginning = "date '1900-01-01'" %}

with known as (
    select * from {{ ref('int_training__known_settings') }}
),

ranked as (
    select
        *,
        case source
            when 'file' then 1
            when 'strava' then 2
            when 'own_activities' then 3
            when 'age' then 4
            else 5
        end as source_rank,
        setting = 'load_order' as is_choice
    from known
),

-- a source holds until the first day of a better one, the default only where there is none. An order of methods is no value of a
-- body, of which the first that is known tells of the days before: until then the default is in force
in_force as (
    select *
    from (
        select
            *,
            min(valid_from) over (
                partition by athlete_id, setting, sport_group
                order by source_rank
                range between unbounded preceding and 1 preceding
            ) as better_from
        from ranked
    ) as compared
    where
        better_from is null
        or ((source <> 'default' or is_choice) and valid_from < better_from)
),

followed as (
    select
        *,
        lag(source) over (partition by athlete_id, setting, sport_group order by valid_from) as source_before,
        lag(value) over (partition by athlete_id, setting, sport_group order by valid_from) as value_before,
        lag(value_text) over (partition by athlete_id, setting, sport_group order by valid_from) as value_text_before
    from in_force
),

-- what is told again does not change
placed as (
    select
        *,
        row_number() over (partition by athlete_id, setting, sport_group order by valid_from) as place,
        lead(valid_from) over (partition by athlete_id, setting, sport_group order by valid_from) as next_valid_from
    from followed
    where
        source is distinct from source_before
        or value is distinct from value_before
        or value_text is distinct from value_text_before
),

final as (
    select
        athlete_id,
        setting,
        sport_group,
        case when place = 1 and not is_choice then {{ beginning }} else valid_from end as valid_from,
        next_valid_from,
        value,
        value_text,
        source,
        place = 1 and not is_choice and valid_from > {{ beginning }} as is_backdated,
        cast({{ definition_version }} as int64) as definition_version
    from placed
)

select * from final
