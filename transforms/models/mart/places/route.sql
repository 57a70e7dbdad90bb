{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'activity_id'],
        meta={'definition_version': route_version()},
        tags=['measures_only'],
    )
}}

with lines as (
    select * from {{ ref('base_strava__activities') }}
    where
        not is_deleted
        and polyline is not null
        and {{ is_changed() }}
),

decoded as (
    {{ polyline_routes('lines') }}  -- noqa: PRS
),

-- a box that crosses 180 degrees begins west of it and ends east of it; a line right round the earth spans all of it
boxes as (
    select
        *,
        case
            when east - west >= 36000000 then -18000000
            when west < -18000000 then west + 36000000
            else west
        end as western_edge,
        case
            when east - west >= 36000000 then 18000000
            when east > 18000000 then east - 36000000
            else east
        end as eastern_edge
    from decoded
),

activities as (
    select * from {{ ref('stg_strava__activities') }}
    where {{ is_changed() }}
),

final as (
    select
        lines.activity_id,
        lines.athlete_id,
        activities.sport_type,
        activities.sport_group,
        activities.start_date_local,
        activities.is_assisted,
        activities.is_virtual,
        activities.is_private,
        lines.polyline,
        lines.polyline_kind,
        boxes.point_count,
        boxes.south / 100000 as min_latitude,
        boxes.western_edge / 100000 as min_longitude,
        boxes.north / 100000 as max_latitude,
        boxes.eastern_edge / 100000 as max_longitude,
        boxes.first_latitude / 100000 as start_latitude,
        boxes.first_longitude / 100000 as start_longitude,
        concat(
            cast(cast(floor(boxes.first_latitude / 1000) as int64) as {{ dbt.type_string() }}),
            ':',
            cast(cast(floor(boxes.first_longitude / 1000) as int64) as {{ dbt.type_string() }})
        ) as start_cell,
        boxes.latitudes as path_latitudes,
        boxes.longitudes as path_longitudes,
        cast({{ route_version() }} as int64) as definition_version
    from lines
    inner join boxes on lines.activity_id = boxes.activity_id
    inner join activities on lines.activity_id = activities.activity_id
)

select * from final
