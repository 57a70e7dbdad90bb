{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_what_files_changed() }}",
        incremental_predicates=merged_where("is_changed_by_files('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
    )
}}

with archived as (
    select * from {{ ref('stg_archive__activities') }}
    where {{ is_changed_by_files() }}
),

archive_files as (
    select * from {{ ref('stg_archive__files') }}
    where
        origin = 'archive'
        and place = 1
        and {{ is_changed_by_files() }}
),

own_files as (
    select * from {{ ref('stg_archive__files') }}
    where
        origin = 'own'
        and place = 1
        and {{ is_changed_by_files() }}
),

ids as (
    select activity_id from archived
    union distinct
    select activity_id from archive_files
    union distinct
    select activity_id from own_files
),

-- what the device's clock said, else the zone of the place, else the athlete's usual one
zones as (
    select
        activity_id,
        timezone_name,
        utc_offset_s,
        utc_offset_source,
        row_number() over (
            partition by activity_id
            order by case utc_offset_source when 'file' then 1 when 'place' then 2 else 3 end, source_rank
        ) as place
    from (
        {%- for source in ['archive_files', 'own_files', 'archived'] %}
        select
            activity_id,
            timezone_name,
            utc_offset_s,
            utc_offset_source,
            {{ loop.index }} as source_rank
        from {{ source }}
        where utc_offset_s is not null
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as told
),

final as (
    select
        ids.activity_id,
        coalesce(archived.athlete_id, archive_files.athlete_id, own_files.athlete_id) as athlete_id,
        coalesce(archived.is_deleted, true)
        and archive_files.activity_id is null
        and own_files.activity_id is null as is_deleted,
        case
            when not archived.is_deleted then 'archive'
            when coalesce(archive_files.activity_id, own_files.activity_id) is not null then 'file'
        end as source,
        {{ newest_of(['archived.ingested_at', 'archive_files.ingested_at', 'own_files.ingested_at']) }} as ingested_at,
        {%- for column in filled_columns() %}
        coalesce(archived.{{ column }}, archive_files.{{ column }}, own_files.{{ column }}) as {{ column }},
        {%- endfor %}
        coalesce(
            archived.sport_type, archive_files.sport_type, own_files.sport_type, nullif(archived.sport_label, '')
        ) as sport_type,
        coalesce(archive_files.device_name, own_files.device_name) as device_name,
        coalesce(archived.start_at, archive_files.start_at, own_files.start_at) as start_at,
        zones.timezone_name,
        zones.utc_offset_s,
        zones.utc_offset_source,
        archived.gear_id,
        archived.gear_name,
        coalesce(archive_files.polyline, own_files.polyline) as polyline,
        coalesce(archive_files.polyline_kind, own_files.polyline_kind) as polyline_kind,
        case
            when archived.elevation_gain_m is not null then 'strava'
            when archive_files.elevation_gain_m is not null then archive_files.elevation_source
            else own_files.elevation_source
        end as elevation_source,
        coalesce(archive_files.is_clipped, own_files.is_clipped, false) as is_clipped,
        {%- for list in recorded_lists() %}
        case
            when array_length(archive_files.{{ list }}) > 0 then archive_files.{{ list }}
            else own_files.{{ list }}
        end as {{ list }},
        {%- endfor %}
        {%- for column, name in computable_columns().items() %}
        case
            when archived.{{ column }} is not null then false
            when archive_files.{{ column }} is not null then coalesce(archive_files.computed like '%"{{ name }}"%', false)
            else coalesce(own_files.computed like '%"{{ name }}"%', false)
        end as has_computed_{{ column }},
        {%- endfor %}
        archived.distance_precision_m
    from ids
    left join archived on ids.activity_id = archived.activity_id
    left join archive_files on ids.activity_id = archive_files.activity_id
    left join own_files on ids.activity_id = own_files.activity_id
    left join zones on ids.activity_id = zones.activity_id and zones.place = 1
)

select * from final
