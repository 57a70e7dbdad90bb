{% set definition_version = 2 %}
{%- set numbers = ['distance', 'moving_time', 'elapsed_time', 'total_elevation_gain'] %}
{{ config(cluster_by=['athlete_id', 'activity_id'], meta={'definition_version': definition_version}) }}

with activities as (
    select
        activity_id,
        athlete_id,
        name,
        sport_type,
        sport_group,
        start_date_local,
        is_private
    from {{ ref('fct_activities') }}
),

-- what came by an event is told by the ledger, which forgets after a year at the earliest
recent_events as (
    select
        object_id as activity_id,
        event_id,
        aspect_type,
        outcome,
        finished_at
    from {{ ref('stg_strava__events') }}
    where
        object_type = 'activity'
        and finished_at >= {{ days_ago(365) }}
),

-- the first time that its create was stored
saves as (
    select
        activity_id,
        finished_at as saved_at,
        event_id
    from (
        select
            *,
            row_number() over (partition by activity_id order by finished_at, event_id) as place
        from recent_events
        where
            aspect_type = 'create'
            and outcome = 'stored'
    ) as stored
    where place = 1
),

-- a tombstone of what was deleted; where an event told, the ledger has it within minutes
deleted as (
    select
        tombstones.activity_id,
        tombstones.athlete_id,
        tombstones.ingested_at as deleted_at,
        max(told.event_id) as event_id
    from {{ ref('base_strava__activities') }} as tombstones
    left join recent_events as told
        on
            tombstones.activity_id = told.activity_id
            and told.outcome = 'deleted'
            and abs({{ seconds_between('tombstones.ingested_at', 'told.finished_at') }}) <= 300
    where
        tombstones.is_deleted
        and not tombstones.is_expired
    group by tombstones.activity_id, tombstones.athlete_id, tombstones.ingested_at
),

-- what an activity once was is told while it lives, also where raw has not removed it yet
living as (
    select activity_id
    from {{ ref('base_strava__activities') }}
    where not is_deleted
),

-- what a check adds is news while it is recent: the rest is a history, or was known by an export
news as (
    select told.*
    from {{ ref('stg_strava__activity_changes') }} as told
    inner join living on told.activity_id = living.activity_id
    left join activities on told.activity_id = activities.activity_id
    left join {{ ref('base_archive__activities') }} as archived on told.activity_id = archived.activity_id
    where
        told.change_kind != 'added'
        or (
            archived.activity_id is null
            and {{ days_between('activities.start_date_local', 'cast(told.ingested_at as date)') }} <= 90
        )
),

imports as (
    select
        import_id,
        activity_id,
        athlete_id,
        max(finished_at) as imported_at
    from {{ ref('stg_archive__import_items') }}
    where
        activity_id is not null
        and (
            (item_kind = 'row' and outcome in ('new', 'updated'))
            or (item_kind = 'file' and outcome in ('read', 'cut_short'))
        )
    group by import_id, activity_id, athlete_id
),

-- what has no field, each once
happened as (
    select
        concat(cast(saves.activity_id as {{ dbt.type_string() }}), '/save') as change_id,
        activities.athlete_id,
        saves.activity_id,
        'added' as change_kind,
        saves.saved_at as changed_at,
        'webhook' as source,
        saves.event_id,
        cast(null as {{ dbt.type_string() }}) as import_id
    from saves
    inner join activities on saves.activity_id = activities.activity_id
    union all
    select
        concat(cast(activity_id as {{ dbt.type_string() }}), '/deletion') as change_id,
        athlete_id,
        activity_id,
        'deleted' as change_kind,
        deleted_at as changed_at,
        case when event_id is null then 'reconcile' else 'webhook' end as source,
        event_id,
        cast(null as {{ dbt.type_string() }}) as import_id
    from deleted
    union all
    select
        concat(imports.import_id, '/', cast(imports.activity_id as {{ dbt.type_string() }})) as change_id,
        imports.athlete_id,
        imports.activity_id,
        'imported' as change_kind,
        imports.imported_at as changed_at,
        'import' as source,
        cast(null as {{ dbt.type_string() }}) as event_id,
        imports.import_id
    from imports
    inner join activities on imports.activity_id = activities.activity_id
),

changes as (
    select
        change_id,
        athlete_id,
        activity_id,
        change_kind,
        changed_field,
        old_value,
        new_value,
        case
            when changed_field in ('{{ numbers | join("', '") }}')
                then coalesce({{ as_float('new_value') }}, 0) - coalesce({{ as_float('old_value') }}, 0)
        end as difference,
        ingested_at as changed_at,
        source,
        event_id,
        cast(null as {{ dbt.type_string() }}) as import_id
    from news
    union all
    select
        change_id,
        athlete_id,
        activity_id,
        change_kind,
        cast(null as {{ dbt.type_string() }}) as changed_field,
        cast(null as {{ dbt.type_string() }}) as old_value,
        cast(null as {{ dbt.type_string() }}) as new_value,
        {{ as_double('null') }} as difference,
        changed_at,
        source,
        event_id,
        import_id
    from happened
),

final as (
    select
        changes.athlete_id,
        changes.activity_id,
        changes.change_id,
        changes.change_kind,
        changes.changed_field,
        changes.old_value,
        changes.new_value,
        changes.difference,
        changes.changed_at,
        changes.source,
        changes.event_id,
        changes.import_id,
        activities.name as activity_name,
        activities.sport_type,
        activities.sport_group,
        activities.start_date_local,
        activities.is_private,
        cast({{ definition_version }} as int64) as definition_version
    from changes
    left join activities on changes.activity_id = activities.activity_id
)

select * from final
