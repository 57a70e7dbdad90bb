{% set definition_version = 4 %}
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

told as (
    select
        athlete_id,
        setting,
        sport_group,
        case when place = 1 and not is_choice then {{ beginning }} else valid_from end as valid_from,
        next_valid_from,
        value,
        value_text,
        source,
        place = 1 and not is_choice and valid_from > {{ beginning }} as is_backdated
    from placed
),

heart_rates as (
    select * from told
    where
        sport_group = 'all'
        and setting in ('resting_heartrate_bpm', 'max_heartrate_bpm', 'threshold_heartrate_bpm')
),

-- the threshold of whom nobody tells one follows the two heart rates that are in force
reckoned as (
    select
        resting.athlete_id,
        greatest(resting.valid_from, maximal.valid_from) as valid_from,
        resting.value + 0.85 * (maximal.value - resting.value) as value,
        resting.is_backdated or maximal.is_backdated as is_backdated
    from heart_rates as resting
    inner join heart_rates as maximal
        on
            resting.athlete_id = maximal.athlete_id
            and resting.setting = 'resting_heartrate_bpm'
            and maximal.setting = 'max_heartrate_bpm'
            and (resting.next_valid_from is null or resting.next_valid_from > maximal.valid_from)
            and (maximal.next_valid_from is null or resting.valid_from < maximal.next_valid_from)
    left join heart_rates as own
        on resting.athlete_id = own.athlete_id and own.setting = 'threshold_heartrate_bpm'
    where own.athlete_id is null
),

thresholds as (
    select
        *,
        lag(value) over (partition by athlete_id order by valid_from) as value_before
    from reckoned
),

final as (
    select
        *,
        cast({{ definition_version }} as int64) as definition_version
    from told
    union all
    select
        athlete_id,
        'threshold_heartrate_bpm' as setting,
        'all' as sport_group,
        valid_from,
        lead(valid_from) over (partition by athlete_id order by valid_from) as next_valid_from,
        value,
        cast(null as {{ dbt.type_string() }}) as value_text,
        'heartrate_reserve' as source,
        is_backdated,
        cast({{ definition_version }} as int64) as definition_version
    from thresholds
    where value is distinct from value_before
)

select * from final
