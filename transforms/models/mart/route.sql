{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        partition_by=by_month('start_date_local'),
        cluster_by=['athlete_id'],
    )
}}

with lines as (
    select * from {{ ref('base_strava__activities') }}
    where
        not is_deleted
        and polyline is not null
        and {{ changed_since_last_build() }}
),

extents as (
    {{ polyline_extents('lines') }}  -- noqa: PRS
),

activities as (
    select * from {{ ref('stg_strava__activities') }}
),

final as (
    select
        lines.activity_id,
        lines.athlete_id,
        activities.sport_type,
        activities.sport_group,
        activities.start_date_local,
        lines.polyline,
        lines.polyline_kind,
        extents.point_count,
        extents.min_latitude / 100000 as min_latitude,
        extents.min_longitude / 100000 as min_longitude,
        extents.max_latitude / 100000 as max_latitude,
        extents.max_longitude / 100000 as max_longitude,
        extents.first_latitude / 100000 as start_latitude,
        extents.first_longitude / 100000 as start_longitude,
        concat(
            cast(cast(floor(extents.first_latitude / 1000) as int64) as {{ dbt.type_string() }}),
            ':',
            cast(cast(floor(extents.first_longitude / 1000) as int64) as {{ dbt.type_string() }})
        ) as start_cell,
        lines.ingested_at
    from lines
    inner join extents on lines.activity_id = extents.activity_id
    inner join activities on lines.activity_id = activities.activity_id
)

select * from final
