{{ config(materialized='view') }}

-- the last delivery tells, but one that comes once more when all is done does not
with deliveries as (
    select
        *,
        row_number() over (
            partition by event_id
            order by outcome in ('stored', 'deleted', 'purged') desc, ingested_at desc, delivery_id desc
        ) as place,
        min(received_at) over (partition by event_id) as first_received_at,
        count(*) over (partition by event_id) as delivery_count
    from {{ portable(ref('stg_strava__events')) }}
    where object_type = 'activity'
),

activities as (
    select
        activity_id,
        athlete_id,
        is_deleted,
        ingested_at
    from {{ portable(ref('base_strava__activities')) }}
),

final as (
    select
        object_id as activity_id,
        athlete_id,
        aspect_type as event_kind,
        event_id,
        coalesce(event_at, first_received_at, finished_at) as happened_at,
        first_received_at as received_at,
        finished_at,
        outcome,
        delivery_count,
        is_renamed,
        new_sport_type,
        is_made_private
    from deliveries
    where place = 1
    union all
    select
        activity_id,
        athlete_id,
        case when is_deleted then 'removed' else 'stored' end as event_kind,
        cast(null as {{ dbt.type_string() }}) as event_id,
        ingested_at as happened_at,
        cast(null as timestamp) as received_at,
        ingested_at as finished_at,
        cast(null as {{ dbt.type_string() }}) as outcome,
        cast(null as int64) as delivery_count,
        false as is_renamed,
        cast(null as {{ dbt.type_string() }}) as new_sport_type,
        cast(null as bool) as is_made_private
    from activities
)

select * from final
