{{ config(cluster_by=['athlete_id']) }}

with files as (
    select * from {{ ref('stg_archive__files') }}
    where not is_deleted
),

final as (
    select
        files.athlete_id,
        files.file_id,
        files.import_id,
        files.file_name,
        files.activity_id,
        files.recorded_at,
        files.recorded_time_s,
        files.sport_type,
        files.distance_m,
        files.suspect,
        coalesce(twins.activity_id, {{ as_id('files.suspect_twin') }}) as twin_activity_id
    from files
    left join files as twins on files.suspect_twin = twins.file_id
    where files.suspect is not null
)

select * from final
