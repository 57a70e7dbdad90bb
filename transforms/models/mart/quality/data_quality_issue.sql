{% set definition_version = 3 %}
{%- set float64 = 'float64' if target.type == 'bigquery' else 'double' %}
{%- set checks = data_quality_checks() %}
{%- set of_activity = [] %}
{%- for name, check in checks.items() if check.condition %}{% do of_activity.append(name) %}{% endfor %}
{{
    config(
        materialized=built_in_parts(),
        unique_key=['activity_id', 'check_name'],
        on_schema_change='fail',
        pre_hook="{{ forget_issues() }}",
        cluster_by=['athlete_id', 'check_name'],
        meta={'definition_version': definition_version},
    )
}}

with efforts as (
    select
        activity_id,
        sum(case when excluded_reason = 'gps_jump' then 1 else 0 end) as gps_jump_count,
        sum(case when excluded_reason = 'faster_than_world_record' then 1 else 0 end) as faster_than_world_record_count,
        sum(case when excluded_reason = 'activity_shorter' then 1 else 0 end) as activity_shorter_count
    from {{ ref('record_best_effort') }}
    where
        excluded_reason is not null
        and {{ is_changed_in_streams() }}
    group by activity_id
),

streams as (
    select
        activity_id,
        heartrate_suspect_s
    from {{ ref('stream_summary') }}
    where {{ is_changed_in_streams() }}
),

curves as (
    select
        activity_id,
        max(dropped_count) as dropped_power_count
    from {{ ref('power_curve_activity') }}
    where {{ is_changed_in_streams() }}
    group by activity_id
),

activities as (
    select
        activities.*,
        efforts.gps_jump_count,
        efforts.faster_than_world_record_count,
        efforts.activity_shorter_count,
        streams.activity_id is not null as has_streams,
        streams.heartrate_suspect_s,
        curves.dropped_power_count,
        sports.sport_type is null as is_sport_unknown
    from {{ ref('fct_activities') }} as activities
    left join efforts on activities.activity_id = efforts.activity_id
    left join streams on activities.activity_id = streams.activity_id
    left join curves on activities.activity_id = curves.activity_id
    left join {{ ref('sport_groups') }} as sports on activities.sport_type = sports.sport_type
    where {{ is_changed_in_streams('activities.activity_id') }}
),

asked as (
    select
        activities.*,
        check_name  -- noqa: RF02
    from activities
    {{ each("['" ~ of_activity | join("', '") ~ "']", 'check_name') }}
),

-- what an activity and its own parts tell
of_activity as (
    select
        activity_id,
        check_name,
        case check_name
            {%- for name in of_activity if checks[name].measured %}
            when '{{ name }}' then {{ checks[name].measured }}
            {%- endfor %}
        end as measured,
        cast(null as int64) as related_activity_id
    from asked
    where
        case check_name
            {%- for name in of_activity %}
            when '{{ name }}' then {{ checks[name].condition }}
            {%- endfor %}
        end
),

-- of several other recordings the one that lasted with it for the largest share
partners as (
    select
        activity_id,
        other_activity_id,
        overlap_share,
        row_number() over (partition by activity_id order by overlap_share desc, other_activity_id asc) as place
    from {{ ref('int_quality__overlaps') }}
),

-- what follows from other activities, files, settings or the day, and so may change while the activity does not
of_others as (
    select
        activity_id,
        'recordings_overlap' as check_name,
        overlap_share as measured,
        other_activity_id as related_activity_id
    from partners
    where place = 1
    union all
    select
        activity_id,
        case suspect when 'overlaps' then 'import_overlaps' else 'import_time_zone' end as check_name,
        cast(null as {{ float64 }}) as measured,
        min(twin_activity_id) as related_activity_id
    from {{ ref('import_suspect') }}
    group by activity_id, suspect
    union all
    select
        activity_id,
        'load_capped' as check_name,
        load as measured,
        cast(null as int64) as related_activity_id
    from {{ ref('fct_activities') }}
    where is_load_capped
    union all
    select
        activity_id,
        'in_the_future' as check_name,
        cast(null as {{ float64 }}) as measured,
        cast(null as int64) as related_activity_id
    from {{ ref('fct_activities') }}
    where not {{ day_has_come() }}
    union all
    select
        activities.activity_id,
        'gear_unknown' as check_name,
        cast(null as {{ float64 }}) as measured,
        cast(null as int64) as related_activity_id
    from {{ ref('fct_activities') }} as activities
    inner join {{ ref('gear_usage') }} as pieces
        on
            activities.athlete_id = pieces.athlete_id
            and activities.gear_id = pieces.gear_id
    where pieces.gear_name = pieces.gear_id
),

found as (
    select * from of_activity
    union all
    select * from of_others
),

final as (
    select
        activities.athlete_id,
        found.activity_id,
        found.check_name,
        case found.check_name
            {%- for name, check in checks.items() %}
            when '{{ name }}' then '{{ check.kind }}'
            {%- endfor %}
        end as issue_kind,
        found.measured,
        found.related_activity_id,
        case found.check_name
            {%- for name, check in checks.items() %}
            when '{{ name }}' then '{{ check.marts | sort | join(', ') }}'
            {%- endfor %}
        end as touched_marts,
        activities.name as activity_name,
        activities.sport_type,
        activities.sport_group,
        activities.start_date_local,
        cast({{ definition_version }} as int64) as definition_version
    from found
    inner join {{ ref('fct_activities') }} as activities on found.activity_id = activities.activity_id
)

select * from final
